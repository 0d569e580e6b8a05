#!/bin/bash
# Copies to an NFS server that can no longer be reached after a few files.
# shellcheck source=tests/other_kernels/guest/lib.sh
. /tests/lib.sh
# shellcheck source=tests/other_kernels/guest/server.sh
. /tests/server.sh

some_have_arrived() { (($(find /export/roomy/copy -type f | wc -l) >= 2)); }

# begin_and_cut: begins a copy, and cuts the wire when the server has a few files.
begin_and_cut() {
  begin_copy files /client/copy
  wait_for some_have_arrived || blame "nothing has arrived"
  connect down
}

# The client takes minutes to give up on each file, and calls copy one after the other.
takes_too_long() { [[ $version == 4.2 && ($ENGINE == threads || ${#ENGINES[@]} -eq 1) ]]; }

gives_up() {
  takes_too_long && return
  disconnect_client
  rm -rf /export/roomy/copy
  mount_nfs roomy "$version" soft,timeo=10,retrans=1
  begin_and_cut
  end_copy
  connect up
  # Whatever the client has not sent yet arrives now.
  disconnect_client
  blame_status_unless 1
  [[ -n $(wanting files /export/roomy/copy) ]] || blame "all had arrived"
  blame_unnamed files /export/roomy/copy
  verdict "every file that a lost server has not got is named (NFS $version, $VARIANT)"
}

# Whether TCP has sent the same data several times.
is_missed() { ss -Htno dst "$SERVER" | grep -Eq 'timer:\(on,[^,]*,[3-9]'; }

goes_on() {
  disconnect_client
  rm -rf /export/roomy/copy
  mount_nfs roomy "$version" hard,timeo=10,retrans=1
  begin_and_cut
  wait_for is_missed || blame "nobody noticed"
  connect up
  end_copy
  blame_status_unless 0
  blame_wanting files /export/roomy/copy
  verdict "a copy goes on when its server is back (NFS $version, $VARIANT)"
}

start_nfs_server || exit
# So slow that no copy has ended when the wire is cut.
tc qdisc add dev client root tbf rate 40mbit burst 64kb latency 1s
# Each of them takes seconds to fail, and GNU cp copies them one after the other.
make_files files 12 2000000
for version in 3 4.2; do
  with_each_variant gives_up
  OPTION=-r
  with_each_engine goes_on
done
tc qdisc del dev client root
