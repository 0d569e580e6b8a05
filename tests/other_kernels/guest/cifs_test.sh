#!/bin/bash
# Copies to and from CIFS, served by Samba.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh
# shellcheck source=tests/other_kernels/guest/server.sh
. /tests/server.sh

start_samba() {
  start_network
  modprobe cifs
  mkdir -p /run/samba /var/log/samba /var/lib/samba/private /var/cache/samba /etc/samba
  cat >/etc/samba/smb.conf <<'CONF'
[global]
  load printers = no
  disable spoolss = yes
  server min protocol = SMB2
[roomy]
  path = /export/roomy
  read only = no
[full]
  path = /export/full
  read only = no
CONF
  {
    printf 'secret\nsecret\n' | smbpasswd -s -a root && on_server smbd -D &&
      wait_for mount_cifs roomy
  } >/tmp/server.log 2>&1 </dev/null || {
    cat /tmp/server.log /var/log/samba/*
    dmesg | tail -n 3
    return 1
  }
}

# mount_cifs SHARE [OPTIONS]: mounts it on /client, with nothing cached.
mount_cifs() {
  disconnect_client
  mount -t cifs -o "username=root,password=secret${2:+,$2}" "//$SERVER/$1" /client
}

copies_a_tree_there() {
  disconnect_client
  rm -rf /export/roomy/copy /export/roomy/copy_of_cp
  mount_cifs roomy
  cp "$OPTION" plain /client/copy_of_cp
  copy plain /client/copy
  blame_status_unless 0
  blame_wanting plain /export/roomy/copy
  verdict "everything is on the server when the copy has ended (CIFS, $VARIANT)"
  blame_differences /export/roomy/copy_of_cp /export/roomy/copy
  verdict "a tree is copied to CIFS as GNU cp does it ($VARIANT)"
}

# The kernel does not open two names of one file at the same time: EINVAL.
copies_a_tree_from_there() {
  mount_cifs roomy
  rm -rf copy copy_of_cp
  cp "$OPTION" /client/plain copy_of_cp
  mount_cifs roomy
  copy /client/plain copy
  blame_status_unless 0
  blame_differences copy_of_cp copy
  verdict "a tree with hard links is copied from CIFS as GNU cp does it ($VARIANT)"
  local kib
  kib=$(kib_of copy/sparse)
  ((kib < 100)) || blame "$kib KiB are taken"
  verdict "a file from CIFS keeps its holes ($VARIANT)"
}

copies_names_that_differ_in_case() {
  disconnect_client
  rm -rf /export/roomy/copy
  mount_cifs roomy
  copy case /client/copy
  blame_status_unless 1
  grep -q "copy/[nN][aA][mM][eE]': File exists" "$MESSAGES" || blame "none is said to exist"
  local name
  for name in /export/roomy/copy/*; do
    cmp -s "case/${name##*/}" "$name" || blame "$name has not its contents"
  done
  verdict "of two names that differ in case one is refused ($VARIANT)"
}

copies_more_than_fits() {
  disconnect_client
  rm -rf /export/full/*
  mount_cifs full
  copy small /client/copy
  blame_status_unless 1
  [[ -n $(wanting small /export/full/copy) ]] || blame "it was not full"
  blame_unnamed small /export/full/copy
  verdict "every file that a full server has not got is named (CIFS, $VARIANT)"
}

start_samba || exit
make_files small 200 40000
make_files plain/many 100 3000
make_sparse plain/sparse
head -c 5000000 /dev/urandom >plain/large
for number in 1 2 3 4; do
  ln -f "plain/many/0/file000$number" "plain/many/0/other-name-$number"
done
mkdir -p case
echo upper >case/NAME
echo lower >case/name
cp -a plain /export/roomy
with_each_variant copies_a_tree_there
with_each_variant copies_a_tree_from_there
with_each_variant copies_names_that_differ_in_case
with_each_variant copies_more_than_fits
