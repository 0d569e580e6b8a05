#!/bin/bash
# Root copies to and from an NFS server that treats root as nobody.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh
# shellcheck source=tests/other_kernels/guest/server.sh
. /tests/server.sh

copies_to_nobodys_directory() {
  disconnect_client
  rm -rf /export/squashed/home
  mkdir -m 700 /export/squashed/home
  chown 65534:65534 /export/squashed/home
  mount_nfs squashed "$version"
  copy small /client/home/copy
  blame_wanting small /export/squashed/home/copy
  if [[ $OPTION == -a ]]; then
    blame_status_unless 1
    local said wider
    said=$(grep -c 'failed to preserve ownership' "$MESSAGES")
    ((said >= 80)) || blame "only $said of 80 files are named"
    wider=$(find /export/squashed/home/copy -perm /077 | wc -l)
    ((!wider)) || blame "$wider are open to others, which GNU cp leaves to their owner"
    verdict "what can't be given its owner is copied, and closed to all others (NFS $version, $VARIANT)"
  else
    blame_status_unless 0
    verdict "root copies into the directory of its stand-in (NFS $version, $VARIANT)"
  fi
}

copies_what_nobody_may_not_read() {
  rm -rf copy
  mount_nfs squashed "$version"
  copy /client/source copy
  blame_status_unless 1
  blame_unnamed /export/squashed/source copy
  local count
  count=$(wanting /export/squashed/source copy | wc -l)
  ((count == 1)) || blame "$count files are wanting, one of which was not readable"
  verdict "of a squashed export all is copied but what can't be read, which is named (NFS $version, $VARIANT)"
}

start_nfs_server || exit
make_files small 80 5000
rm -rf /export/squashed/source
cp -r small /export/squashed/source
chmod 600 /export/squashed/source/0/file0003
for version in 3 4.2; do
  with_each_variant copies_to_nobodys_directory
  with_each_variant copies_what_nobody_may_not_read
done
