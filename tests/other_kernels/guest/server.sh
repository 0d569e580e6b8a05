#!/bin/bash
# Sourced by the tests that need a server. The server has a network of its own, at the
# other end of a wire that can be cut. /export/NAME on the server is /export/NAME here, so
# a test sees what has arrived, whatever the client believes.
#
#   roomy     has room, and root may do everything
#   squashed  root is nobody there
#   full      has room for 4 MiB

readonly SERVER=10.0.0.1 CLIENT=10.0.0.2

on_server() { nsenter --net=/run/server.network "$@"; }

connect() { on_server ip link set server "$1"; }  # up or down

# wait_for COMMAND...: waits until it succeeds. Fails after longer than any machine needs.
wait_for() {
  local deadline=$((SECONDS + 120))
  until "$@" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

start_network() {
  [[ ! -e /run/server.network ]] || return 0
  modprobe -a veth
  touch /run/server.network
  unshare --net=/run/server.network true
  ip link add client type veth peer name server
  ip link set server netns /run/server.network
  ip addr add "$CLIENT/24" dev client
  ip link set client up
  on_server ip link set lo up
  on_server ip addr add "$SERVER/24" dev server
  connect up
  mkdir -p /disk/export/{roomy,squashed} /export/{roomy,squashed,full} /client
  mount --bind /disk/export/roomy /export/roomy
  mount --bind /disk/export/squashed /export/squashed
  mount -t tmpfs -o size=4M tmpfs /export/full
  chmod 755 /export/*
}

start_nfs_server() {
  start_network
  [[ ! -e /run/nfs_server ]] || return 0
  modprobe -a nfs nfsd nfsv3 nfsv4
  local options=rw,async,no_subtree_check
  cat >/etc/exports <<EXPORTS
/export/roomy $CLIENT($options,no_root_squash,fsid=1)
/export/squashed $CLIENT($options,root_squash,fsid=2)
/export/full $CLIENT($options,no_root_squash,fsid=3)
EXPORTS
  mkdir -p /var/lib/nfs/{sm,v4recovery} /run/rpcbind
  touch /var/lib/nfs/{etab,rmtab}
  on_server mount -t nfsd nfsd /proc/fs/nfsd
  {
    on_server rpcbind -w
    wait_for on_server rpcinfo -p
    on_server exportfs -ra
    on_server rpc.mountd
    # Short times suffice, because nobody has locks from before to reclaim.
    on_server rpc.nfsd --grace-time 10 --lease-time 10 8
  } >/tmp/server.log 2>&1 </dev/null || { cat /tmp/server.log && return 1; }
  touch /run/nfs_server
}

disconnect_client() {
  ! mountpoint -q /client || umount /client || umount -f -l /client
}

# mount_nfs EXPORT VERSION [OPTIONS]: mounts it on /client, with nothing cached.
mount_nfs() {
  local options=vers=$2${3:+,$3}
  [[ $2 != 3 ]] || options+=,nolock
  disconnect_client
  mount -t nfs -o "$options" "$SERVER:/export/$1" /client
}
