#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a real sshd behind a server that takes TLS off, and ssh, which
# reaches it by ProxyCommand. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/ssh/run.sh               run once
#   sh examples/ssh/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/ssh/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="openssh-server openssh-client socat"
begin_example "$@"

say "a real sshd behind TLS, with a certificate for ssh.example.com"
make_certificate server ssh.example.com
quietly ssh-keygen -q -t ed25519 -N "" -f "$work/host_key"
quietly ssh-keygen -q -t ed25519 -N "" -f "$work/user_key"
uses_pam=no
if [ "$(id -u)" = 0 ]; then
  uses_pam=yes       # it knows about accounts that are locked for passwords only
  mkdir -p /run/sshd # the package's own, made when its service starts
fi
cat >"$work/sshd_config" <<EOF
HostKey $work/host_key
AuthorizedKeysFile $work/user_key.pub
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
UsePAM $uses_pam
PrintMotd no
EOF
server_port=$(free_port)
# In a group of its own, for it forks.
start_server socat "$server_port" setsid socat \
  "OPENSSL-LISTEN:$server_port,bind=127.0.0.1,reuseaddr,fork,verify=0,cert=$work/server.pem,key=$work/server.key" \
  "EXEC:/usr/sbin/sshd -i -e -f $work/sshd_config"
echo "ssh.example.com $(cut -d ' ' -f 1,2 "$work/host_key.pub")" >"$work/known_hosts"

adapt_config ssh stdio "127.0.0.1:$server_port" ssh.example.com
say "the configuration"
cat "$work/tunnel.toml"
shown "$tunnel" check "$work/tunnel.toml"
shown ssh -F none -i "$work/user_key" -o IdentitiesOnly=yes -o BatchMode=yes \
  -o "UserKnownHostsFile=$work/known_hosts" -o "ProxyCommand=$tunnel $work/tunnel.toml" \
  "$(id -un)@ssh.example.com" 'echo "hello from the other end"'
stay_up "ssh -F none -i $work/user_key -o UserKnownHostsFile=$work/known_hosts -o 'ProxyCommand=$tunnel $work/tunnel.toml' $(id -un)@ssh.example.com"

say "the same to a server with another's certificate: standard error says why"
sed -i 's/^name .*/name = "elsewhere.example.com"/' "$work/tunnel.toml"
ssh -F none -o BatchMode=yes -o "ProxyCommand=$tunnel $work/tunnel.toml" ssh.example.com true &&
  die "that should have failed"
say "done"
