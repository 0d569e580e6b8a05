#!/bin/bash
# Copies on the guest's own file systems, where only the kernel's release matters.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh

copies_a_tree() {
  rm -rf copy copy_of_cp
  cp "$OPTION" tree copy_of_cp
  copy tree copy
  blame_status_unless 0
  blame_differences copy_of_cp copy
  (($(kib_of copy/sparse) < 100)) || blame "the hole is filled"
  verdict "a tree is copied as GNU cp does it ($VARIANT)"
}

# A program that somebody still has open for writing can't be executed. All are started at
# the same time, because the kernel may need only a second to close what is left open.
runs_what_it_copied() {
  rm -rf copy
  copy programs copy
  local program busy
  for program in copy/*; do
    { "$program" || echo "$program"; } 2>/dev/null &
  done >/tmp/busy
  wait
  busy=$(wc -l </tmp/busy)
  ((!busy)) || blame "$busy could not be executed"
  blame_status_unless 0
  verdict "programs can be executed as soon as they are copied ($VARIANT)"
}

unmounts_what_it_copied() {
  mount -t tmpfs tmpfs /mnt/source
  mount -t tmpfs tmpfs /mnt/target
  cp -r tree/many /mnt/source
  copy /mnt/source/many /mnt/target/copy
  blame_status_unless 0
  local directory
  for directory in /mnt/source /mnt/target; do
    umount "$directory" 2>/dev/null || { blame "$directory is busy" && umount -l "$directory"; }
  done
  verdict "both file systems can be unmounted as soon as the copy has ended ($VARIANT)"
}

# The targets have other names, so they can't be removed when there is no room. GNU cp
# leaves in them what did fit.
overwrites_in_vain() {
  mount -t tmpfs -o size=1M tmpfs /mnt/target
  cp -r "$source" old
  find old -type f -exec truncate -s 10 {} +
  cp -r old /mnt/target/copy
  rm -r old
  cp -rl /mnt/target/copy /mnt/target/other-names
  copy -T "$source" /mnt/target/copy
  blame_status_unless 1
  blame_unnamed "$source" /mnt/target/copy
  blame_remains -s "$source" /mnt/target/other-names
  verdict "a file with other names is emptied when overwriting it fails ($what, $VARIANT)"
  umount -l /mnt/target
}

make_tree tree
make_files small 80 20000
make_files large 4 700000
mkdir -p programs /mnt/source /mnt/target
for number in $(seq 100); do cp /usr/bin/true "programs/$number"; done
with_each_variant copies_a_tree
with_each_variant runs_what_it_copied
with_each_variant unmounts_what_it_copied
# With -a a file that has other names is made anew.
OPTION=-r
what='small files' source=small
with_each_engine overwrites_in_vain
what='large files' source=large
with_each_engine overwrites_in_vain
