#!/bin/bash
# What the tests have in common; each of them sources it. A test copies with `copy`, finds
# out what is wrong and says it with `blame`, and ends with `verdict FACT`.

set -u
PROGRAM=/tests/$(</tests/program)
ENGINES=('')
# GNU cp, or an old ringcp, has none to choose from.
if "$PROGRAM" --help | grep -q -- --engine; then ENGINES=('' uring threads); fi

# No copy of these tests takes nearly as long, even where qemu emulates the processor.
readonly COPY_SECONDS_MAX=300
readonly MESSAGES=/tmp/messages

OPTION='' ENGINE='' STATUS=0 BLAMED=''
# What a verdict says of $OPTION and $ENGINE.
export VARIANT=''

# A test has its own files in a directory of its own, where it runs.
enter_directory() {
  local name=${0##*/}
  mkdir -p "/disk/${name%_test.sh}"
  cd "/disk/${name%_test.sh}" || exit
}
enter_directory

# copy [OPTION...] SOURCE... TARGET: with $OPTION and $ENGINE; leaves $STATUS and $MESSAGES.
copy() {
  STATUS=0
  timeout "$COPY_SECONDS_MAX" "$PROGRAM" ${OPTION:+"$OPTION"} \
    ${ENGINE:+"--engine=$ENGINE"} "$@" 2>"$MESSAGES" || STATUS=$?
}

# begin_copy ARGS..., end_copy: the same in the background.
begin_copy() {
  { copy "$@" && echo "$STATUS" >/tmp/status; } &
  copying=$!
}

end_copy() {
  wait "$copying"
  STATUS=$(</tmp/status)
}

# with_each_engine FUNCTION, with_each_variant FUNCTION: the latter with -r and with -a.
with_each_engine() {
  local called=$1
  for ENGINE in "${ENGINES[@]}"; do
    VARIANT="${OPTION:+$OPTION, }${ENGINE:-default} engine"
    "$called"
  done
}

with_each_variant() {
  for OPTION in -r -a; do with_each_engine "$1"; done
  OPTION=''
}

blame() { BLAMED+="${BLAMED:+; }$*"; }

blame_status_unless() {
  ((STATUS == $1)) || blame "exit status $STATUS instead of $1 ($(head -n 1 "$MESSAGES"))"
}

# verdict FACT: whether it was seen to be one.
verdict() {
  if [[ -z $BLAMED ]]; then echo "ok $1"; else echo "FAILED $1: $BLAMED"; fi
  BLAMED=''
}

# make_files DIRECTORY COUNT BYTES: random ones in four directories.
make_files() {
  local directory=$1 count=$2 bytes=$3 i
  [[ ! -e $directory ]] || return 0
  mkdir -p "$directory"/{0,1,2,3}
  for i in 0 1 2 3; do
    head -c $((count * bytes / 4)) /dev/urandom |
      split -b "$bytes" -a 4 -d - "$directory/$i/file"
  done
}

# make_tree DIRECTORY: a few entries of every kind, and sizes around those of a block.
make_tree() {
  local tree=$1 bytes
  [[ ! -e $tree ]] || return 0
  make_files "$tree/many" 60 3000
  mkdir -p "$tree"/{empty,private,deep/deeper/deepest}
  for bytes in 0 1 4095 4096 4097 131072 131073 5000000; do
    head -c "$bytes" /dev/urandom >"$tree/deep/$bytes"
  done
  echo script >"$tree/deep/deeper/script"
  chmod 755 "$tree/deep/deeper/script"
  echo secret >"$tree/private/secret"
  chmod 600 "$tree/private/secret"
  chmod 700 "$tree/private"
  chmod 444 "$tree/deep/4095"
  ln -s deep/4096 "$tree/link"
  ln -s nowhere "$tree/dangling"
  ln "$tree/deep/1" "$tree/deep/deeper/other-name"
  mkfifo "$tree/fifo"
  make_sparse "$tree/sparse"
  find "$tree" -exec touch -h -d '2001-02-03 04:05:06.123456789' {} +
}

# make_sparse FILE: 8 MiB with 5 bytes of contents in the middle.
make_sparse() {
  truncate -s 8M "$1"
  printf 'data\n' | dd of="$1" bs=1 seek=5000000 conv=notrunc status=none
}

kib_of() { du -k "$1" | cut -f 1; }

checksums() { (cd "$1" 2>/dev/null && find . -type f -exec md5sum {} + | sort); }

# describe TREE: all that a copy of it should have in common with another one.
describe() {
  local format='%P %y %m %U:%G %n %l'
  [[ $OPTION != -a ]] || format+=' %T@'
  (cd "$1" && find . -type d -printf "${format/ %n/}\n" -o -printf "$format\n" | sort)
  checksums "$1"
}

# blame_differences TREE OTHER: compares them as `describe` has them.
blame_differences() {
  local differences
  differences=$(diff <(describe "$1") <(describe "$2"))
  [[ -z $differences ]] || blame "$(grep -c '^[<>]' <<<"$differences") lines differ from" \
    "GNU cp's copy: $(sed -n 2p <<<"$differences")"
}

# wanting SOURCE COPY: the files of SOURCE that are not whole in COPY, one path a line.
wanting() { comm -23 <(checksums "$1") <(checksums "$2") | cut -c 37-; }

# blame_wanting SOURCE COPY
blame_wanting() {
  local paths
  paths=$(wanting "$1" "$2")
  [[ -z $paths ]] || blame "$(wc -l <<<"$paths") files are not whole: $(head -n 1 <<<"$paths")"
}

# blame_unnamed SOURCE COPY: the files that are not whole in COPY, and that no message
# names, nor a directory that they are in.
blame_unnamed() {
  local paths
  paths=$(awk -v quote="'" '
    FNR == NR { messages = messages $0 "\n"; next }
    {
      for (path = $0; path != ""; sub(/\/?[^\/]*$/, "", path)) {
        if (index(messages, "/" path quote)) next
      }
      print
    }' "$MESSAGES" <(wanting "$1" "$2"))
  [[ -z $paths ]] || blame "$(wc -l <<<"$paths") files are not whole and not named: $(head -n 1 <<<"$paths")"
}

# blame_remains TEST SOURCE COPY: files that COPY has not whole and that pass TEST, which is
# -e (they are there) or -s (they have contents).
blame_remains() {
  local count=0 path
  while IFS= read -r path; do
    ! test "$1" "$3/$path" || count=$((count + 1))
  done < <(wanting "$2" "$3")
  ((!count)) || blame "$count files are left in part"
}
