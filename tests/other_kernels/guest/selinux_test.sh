#!/bin/bash
# SELinux's labels: each command line is run by GNU cp and by the program in two
# directories of equal contents, and has to leave the same labels, messages and status.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh

readonly SECRET=staff_u:object_r:secret_t:s0:c1 CONFINED='runcon -t confined_t'

# The policy is loaded for good: processes become kernel_t, and may do everything. What
# confined_t may not, the policy says.
load_policy() {
  local directory=/etc/selinux/test version
  mount -t selinuxfs selinuxfs /sys/fs/selinux || return 1
  version=$(</sys/fs/selinux/policyvers)
  mkdir -p "$directory"/{policy,contexts/files}
  printf 'SELINUX=enforcing\nSELINUXTYPE=test\n' >/etc/selinux/config
  secilc -M true -c "$version" -f /dev/null -o "$directory/policy/policy.$version" \
    /tests/selinux_policy.cil || return 1
  local here='/disk/selinux/[^/]+'
  printf '%s\n' "/.* system_u:object_r:file_t:s0" \
    "$here/web(/.*)? system_u:object_r:web_t:s0" \
    "$here/web/.*\.log -- system_u:object_r:log_t:s0" \
    "$here/web/.*link -l system_u:object_r:log_t:s0" \
    "$here/none(/.*)? <<none>>" >"$directory/contexts/files/file_contexts"
  cat "$directory/policy/policy.$version" >/sys/fs/selinux/load || return 1
  echo 1 >/sys/fs/selinux/enforce
}

# make_fixture: in the current directory.
make_fixture() {
  mkdir -p tree/{logs,empty} web none
  echo contents >file
  echo secret >secret
  head -c 700000 /dev/urandom >large
  echo old >old
  echo old >web/old
  mkdir web/tree
  echo one >tree/one.log
  ln tree/one.log tree/other-name
  ln -s one.log tree/link
  mkfifo tree/pipe
  mknod tree/device c 1 3
  truncate -s 100000 tree/hole
  local number
  for number in $(seq 0 5 300); do echo "$number" >"tree/logs/$number"; done
  ln -s old web/live.link
  ln -s new web/dangling.link
  chcon -t home_t file large web/old web/tree
  chcon -h -t home_t tree/link tree/pipe tree/device tree/hole
  chcon -t log_t tree/logs tree/logs/0
  chcon "$SECRET" secret tree/logs/2*
}

# look DIRECTORY: prints what there is in it, with labels.
look() { (cd "$1" && find . ! -name messages -printf '%P %y %s %l %Z\n' | sort); }

# run WHO PROGRAM COMMAND: runs COMMAND in a new directory WHO, where CP is PROGRAM.
run() {
  rm -rf "$1"
  mkdir "$1"
  (
    cd "$1" || exit
    make_fixture
    # shellcheck disable=SC2034  # the command names it
    CP=$2
    STATUS=0
    eval "$3" 2>messages >output </dev/null || STATUS=$?
    echo "status $STATUS" >>messages
    sed -i "s|^$2|cp|; s|'$2 --help'|'cp --help'|" messages
  )
}

# same COMMAND: it does the same with GNU cp and with the program.
same() {
  local command=$1 differences
  run cp /usr/bin/cp "${command//CP/\$CP}"
  run ringcp "$PROGRAM" "${command//CP/\$CP ${ENGINE:+--engine=$ENGINE}}"
  differences=$(diff <(look cp) <(look ringcp)
    diff <(sort cp/messages) <(sort ringcp/messages))
  [[ -z $differences ]] || blame "$differences"
  verdict "$command ($VARIANT)"
}

compare_each_kind() {
  local context=$1
  same "CP $context file web"
  same "CP $context file large secret web/tree"
  same "CP $context file web/file.log"
  same "CP $context secret old"
  same "CP $context secret web/old"
  same "CP $context secret none/file"
  same "CP -r $context tree web"
  same "CP -r $context tree/. web/tree"
  same "CP -r --parents $context tree/logs web"
  same "cd web && CP -s $context old old-link"
  same "CP -l $context file web/file"
  same "CP -b $context secret web/old"
  same "CP --remove-destination $context secret web/old"
  same "echo piped | CP $context /dev/stdin web/piped"
  same "echo piped | CP $context /dev/stdin web/old"
  same "CP $context file web/live.link"
  same "export POSIXLY_CORRECT=1; CP $context file web/dangling.link"
  same "CP $context file web/dangling.link"
  same "cd web && CP $context ../secret ../web/../web/new"
  same "cd web && CP $context ../file ../secret ."
  # Without the right to make what is secret, or to change a label.
  same "$CONFINED CP $context file new"
  same "$CONFINED CP $context secret new"
  same "$CONFINED CP -r $context tree new"
  [[ $context != *preserve=context* ]] || return 0  # GNU cp empties the target.
  same "$CONFINED CP $context file web/old"
  same "$CONFINED CP $context secret web/old"
}

compare_all() {
  local context
  for context in -Z -aZ -a --preserve=context --preserve=all "--context=$SECRET"; do
    compare_each_kind "$context"
  done
  for context in "-Z --preserve=xattr" "-a --no-preserve=context" --preserve=xattr \
    "-a --preserve=context" "-Z --preserve=context" "--attributes-only -Z" \
    "--attributes-only --preserve=context"; do
    same "CP -r $context tree web"
    same "CP $context secret web/old"
    # Here GNU cp names the attribute in place of the file.
    [[ $context == --preserve=xattr ]] || same "$CONFINED CP $context secret new"
  done
  same "CP --context=nonsense file new"
  same "CP --context=system_u:object_r:nothing_t:s0 file new"
  same "$CONFINED CP --context=nonsense file new"
}

compare_trees() {
  local context
  for context in -aZ --preserve=context "--context=$SECRET"; do
    same "CP -r $context tree web"
    same "CP -r $context tree/. web/tree"
    same "$CONFINED CP -r $context tree new"
  done
}

# GNU cp -a copies the source's label over the one that was named.
gives_the_label_that_was_named() {
  run ringcp "$PROGRAM" "\$CP -a --context=$SECRET file new"
  [[ $(stat -c %C ringcp/new) == "$SECRET" ]] || blame "$(stat -c %C ringcp/new)"
  verdict "the label that was named counts with -a, too"
}

keeps_what_it_may_not_label() {
  run ringcp "$PROGRAM" "$CONFINED \$CP --preserve=context secret web/old"
  [[ $(<ringcp/web/old) == old ]] || blame "the old contents are lost"
  diff - ringcp/messages <<'MESSAGES' || blame "other messages"
cp: failed to set the security context of 'web/old': Permission denied
status 1
MESSAGES
  verdict "what can't get its source's label keeps its contents"
}

# As in a container that is to know nothing of it.
takes_a_read_only_selinuxfs_for_none() {
  mount -o remount,bind,ro /sys/fs/selinux || blame "selinuxfs can't be read-only"
  same "CP -Z file web"
  same "CP -r -a tree web"
  same "CP --preserve=context file web"
  mount -o remount,bind,rw /sys/fs/selinux
}

load_policy || { echo "FAILED the policy can't be loaded" && exit; }
VARIANT='default engine'
compare_all
takes_a_read_only_selinuxfs_for_none
gives_the_label_that_was_named
keeps_what_it_may_not_label
ENGINES=("${ENGINES[@]:1}")
with_each_engine compare_trees
