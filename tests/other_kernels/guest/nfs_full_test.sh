#!/bin/bash
# Copies to NFS from a server that is full. The client accepts what is written, and learns
# that the server has no room when the files are closed.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh
# shellcheck source=tests/other_kernels/guest/server.sh
. /tests/server.sh

copies_more_than_fits() {
  disconnect_client
  rm -rf /export/full/*
  mount_nfs full "$version"
  copy "$source" /client/copy
  blame_status_unless 1
  [[ -n $(wanting "$source" /export/full/copy) ]] || blame "it was not full"
  blame_unnamed "$source" /export/full/copy
  verdict "every file that a full server has not got is named ($what, NFS $version, $VARIANT)"
  # GNU cp leaves such files.
  blame_remains -e "$source" /export/full/copy
  verdict "no file is left in part on a full server ($what, NFS $version, $VARIANT)"
}

# The targets have other names, so they can't be removed when there is no room. GNU cp
# leaves in them what did fit.
overwrites_in_vain() {
  disconnect_client
  rm -rf /export/full/*
  cp -r "$source" /export/full/copy 2>/dev/null
  find /export/full/copy -type f -exec truncate -s 10 {} +
  cp -rl /export/full/copy /export/full/other-names
  mount_nfs full "$version"
  copy -T "$source" /client/copy
  blame_status_unless 1
  blame_unnamed "$source" /export/full/copy
  blame_remains -s "$source" /export/full/other-names
  verdict "a file with other names is emptied when a full server has no room for it ($what, NFS $version, $VARIANT)"
}

start_nfs_server || exit
make_files small 200 40000
make_files large 8 1500000
for version in 3 4.2; do
  what='small files' source=small
  with_each_variant copies_more_than_fits
  # With -a a file that has other names is made anew.
  OPTION=-r
  with_each_engine overwrites_in_vain
  what='large files' source=large
  with_each_variant copies_more_than_fits
done
