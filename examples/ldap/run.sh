#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: installs what is missing, builds, starts a real directory server that
# speaks LDAPS only, and searches it in plaintext through the tunnel, while the decrypted traffic is
# captured. Everything is on the loopback
# address, in a temporary folder, and gone at the end.
#
#   sh examples/ldap/run.sh               run once
#   sh examples/ldap/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/ldap/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
MORE_PACKAGES=tshark
begin_example "$@"

say "a real slapd, LDAPS only, with a certificate for ldap.example.com"
make_certificate slapd ldap.example.com
server_port=$(free_port)
start_slapd slapd "$server_port"
echo "ldaps://127.0.0.1:$server_port/"

# The example's own file, with this run's addresses and authority in the place of its own. The
# server is reached by address here, so its name has to be said.
port=$(free_port)
sed -e "s/^accept .*/accept  = \"127.0.0.1:$port\"/" \
  -e "s/^connect .*/connect = \"127.0.0.1:$server_port\"/" \
  -e '/^#/d' "$root/examples/ldap/tunnel.toml" >"$work/tunnel.toml"
printf '[ldap.tls]\nca   = "ca.pem"\nname = "ldap.example.com"\n' >>"$work/tunnel.toml"
# By the check a capture knows, too, what is spoken at this odd port.
printf '[ldap.health]\ncheck = "ldap"\n' >>"$work/tunnel.toml"
sed -i '1i control = "control.sock"' "$work/tunnel.toml"
start_tunnel
echo "ldap://127.0.0.1:$port/ leads to ldaps://127.0.0.1:$server_port/"

say "tunnel capture $work/tunnel.toml ldap -w $work/live.pcapng"
"$tunnel" capture "$work/tunnel.toml" ldap -w "$work/live.pcapng" &
capture_pid=$!
pids="$capture_pid $pids"
wait_until capture "$capture_pid" "$work/tunnel.log" "is captured to"

search="ldapsearch -x -LLL -H ldap://127.0.0.1:$port -b ou=people,dc=example,dc=com (sn=*) cn mail"
say "in plaintext through the tunnel: $search"
$search
result=$?
[ "$result" -eq 0 ] || {
  cat "$work/tunnel.log"
  die "the search failed"
}

say "what the directory server was asked, in Wireshark's words: tshark -r live.pcapng -Y ldap"
kill -INT "$capture_pid"
wait "$capture_pid" || die "the capture has failed"
tshark -r "$work/live.pcapng" -Y ldap 2>"$work/tshark.log" || {
  cat "$work/tshark.log"
  die "tshark cannot read the capture"
}

if [ -n "$keep" ]; then
  cat <<EOF
== staying up; Ctrl-C stops everything. In another terminal, try:
  ldapsearch -x -LLL -H ldap://127.0.0.1:$port -b dc=example,dc=com
  ldapadd -x -D cn=admin,dc=example,dc=com -w secret -H ldap://127.0.0.1:$port
  tail -f $work/tunnel.log
  kill $slapd_pid     # then search again: the log says what happened
  $tunnel explain tls.name
EOF
  wait "$tunnel_pid"
fi
# shellcheck disable=SC2119  # the whole log
finish_example
