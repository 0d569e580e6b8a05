#!/bin/bash
# What the tests have in common; each of them sources it. A test copies with `copy`, looks
# for mistakes and names them with `blame`, and ends with `verdict FACT`.

set -u
PROGRAM=/tests/$(</tests/program)
ENGINES=('')
# GNU cp, and an old ringcp, offer no choice of engines.
if "$PROGRAM" --help | grep -q -- --engine; then ENGINES=('' uring threads); fi

# No copy of these tests takes nearly as long, even if qemu emulates the processor.
readonly COPY_SECONDS_MAX=300
readonly MESSAGES=/tmp/messages

OPTION='' ENGINE='' STATUS=0 BLAMED=''
# $OPTION and $ENGINE, in the words of a verdict.
export VARIANT=''

# Each test runs in a directory of its own, where it keeps its files.
enter_directory() {
  local name=${0##*/}
  mkdir -p "/disk/${name%_test.sh}"
  cd "/disk/${name%_test.sh}" || exit
}
enter_directory

# copy [OPTION...] SOURCE... TARGET: with $OPTION and $ENGINE; sets $STATUS and $MESSAGES.
copy() {
  STATUS=0
  timeout "$COPY_SECONDS_MAX" "$PROGRAM" ${OPTION:+"$OPTION"} \
    ${ENGINE:+"--engine=$ENGINE"} "$@" 2>"$MESSAGES" || STATUS=$?
}

# begin_copy ARGS..., end_copy: do the same in the background.
begin_copy() {
  { copy "$@" && echo "$STATUS" >/tmp/status; } &
  copying=$!
}

end_copy() {
  wait "$copying"
  STATUS=$(</tmp/status)
}

# with_each_engine FUNCTION; with_each_variant FUNCTION: the latter with -r and with -a.
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

# verdict FACT: says whether FACT was found to be true.
verdict() {
  if [[ -z $BLAMED ]]; then echo "ok $1"; else echo "FAILED $1: $BLAMED"; fi
  BLAMED=''
}

# make_files DIRECTORY COUNT BYTES: makes random files in four directories.
make_files() {
  local directory=$1 count=$2 bytes=$3 i
  [[ ! -e $directory ]] || return 0
  mkdir -p "$directory"/{0,1,2,3}
  for i in 0 1 2 3; do
    head -c $((count * bytes / 4)) /dev/urandom |
      split -b "$bytes" -a 4 -d - "$directory/$i/file"
  done
}

# make_tree DIRECTORY: a few entries of every kind, with sizes around that of a block.
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

# make_sparse FILE: makes a file of 8 MiB with 5 bytes of data in the middle.
make_sparse() {
  truncate -s 8M "$1"
  printf 'data\n' | dd of="$1" bs=1 seek=5000000 conv=notrunc status=none
}

kib_of() { du -k "$1" | cut -f 1; }

checksums() { (cd "$1" 2>/dev/null && find . -type f -exec md5sum {} + | sort); }

# describe TREE: prints everything in which two copies of it should agree.
describe() {
  local format='%P %y %m %U:%G %n %l'
  [[ $OPTION != -a ]] || format+=' %T@'
  (cd "$1" && find . -type d -printf "${format/ %n/}\n" -o -printf "$format\n" | sort)
  checksums "$1"
}

# blame_differences TREE OTHER: blames the lines in which their descriptions differ.
blame_differences() {
  local differences
  differences=$(diff <(describe "$1") <(describe "$2"))
  [[ -z $differences ]] || blame "$(grep -c '^[<>]' <<<"$differences") lines differ from" \
    "GNU cp's copy: $(sed -n 2p <<<"$differences")"
}

# wanting SOURCE COPY: the files of SOURCE that are not complete in COPY, one a line.
wanting() { comm -23 <(checksums "$1") <(checksums "$2") | cut -c 37-; }

# blame_wanting SOURCE COPY
blame_wanting() {
  local paths
  paths=$(wanting "$1" "$2")
  [[ -z $paths ]] || blame "$(wc -l <<<"$paths") files are not whole: $(head -n 1 <<<"$paths")"
}

# blame_unnamed SOURCE COPY: blames the files that are not complete in COPY if no message
# names the file or a directory that it is in.
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

# blame_remains TEST SOURCE COPY: blames the files that are not complete in COPY and that
# pass TEST, which is -e (they exist) or -s (they have contents).
blame_remains() {
  local count=0 path
  while IFS= read -r path; do
    ! test "$1" "$3/$path" || count=$((count + 1))
  done < <(wanting "$2" "$3")
  ((!count)) || blame "$count files are left in part"
}
