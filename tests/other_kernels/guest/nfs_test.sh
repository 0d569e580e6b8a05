#!/bin/bash
# Copies to and from an NFS server that works.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh
# shellcheck source=tests/other_kernels/guest/server.sh
. /tests/server.sh

copies_a_tree_there() {
  disconnect_client
  rm -rf /export/roomy/copy /export/roomy/copy_of_cp
  mount_nfs roomy "$version"
  cp "$OPTION" tree /client/copy_of_cp
  copy tree /client/copy
  blame_status_unless 0
  blame_wanting tree /export/roomy/copy
  verdict "everything is on the server when the copy has ended (NFS $version, $VARIANT)"
  disconnect_client
  blame_differences /export/roomy/copy_of_cp /export/roomy/copy
  verdict "a tree is copied to NFS as GNU cp does it (NFS $version, $VARIANT)"
}

unmounts_what_it_copied() {
  disconnect_client
  rm -rf /export/roomy/copy
  mount_nfs roomy "$version"
  copy tree/many /client/copy
  blame_status_unless 0
  umount /client || blame "it is busy"
  verdict "the client can unmount as soon as the copy has ended (NFS $version, $VARIANT)"
}

copies_a_tree_from_there() {
  mount_nfs roomy "$version"
  rm -rf copy copy_of_cp
  cp "$OPTION" /client/tree copy_of_cp
  mount_nfs roomy "$version"
  copy /client/tree copy
  blame_status_unless 0
  blame_differences copy_of_cp copy
  verdict "a tree is copied from NFS as GNU cp does it (NFS $version, $VARIANT)"
  local kib
  kib=$(kib_of copy/sparse)
  ((kib < 100)) || blame "$kib KiB are taken"
  verdict "a file from NFS keeps its holes (NFS $version, $VARIANT)"
}

start_nfs_server || exit
make_tree tree
cp -a tree /export/roomy/tree
for version in 3 4.2; do
  with_each_variant copies_a_tree_there
  with_each_variant unmounts_what_it_copied
  with_each_variant copies_a_tree_from_there
done
