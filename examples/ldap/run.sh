#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: installs what is missing, builds, starts a real directory server that
# speaks LDAPS only, and searches it in plaintext through the tunnel. Everything is on the loopback
# address, in a temporary folder, and gone at the end.
#
#   sh examples/ldap/run.sh           run once
#   sh examples/ldap/run.sh --keep    stay up until Ctrl-C, and print what to try
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"
. "$root/tests/lib/directory.sh"

keep=
case ${1-} in
  '') ;;
  --keep) keep=yes ;;
  *) die "usage: run.sh [--keep]" ;;
esac

# shellcheck disable=SC2086  # lists of words
install_packages $BUILD_PACKAGES $DIRECTORY_PACKAGES
build_program plain

work=$(mktemp -d)
trap stop_everything EXIT
trap 'exit 130' HUP INT TERM

say "a throw-away authority, and a server certificate for ldap.example.com"
make_authority
make_certificate slapd ldap.example.com

say "a real slapd, LDAPS only"
server_port=$(free_port)
start_slapd slapd "$server_port"
echo "ldaps://127.0.0.1:$server_port/"

# The example's own file, with this run's addresses and authority in the place of its own. The
# server is reached by address here, so its name has to be said.
say "the configuration"
port=$(free_port)
sed -e "s/^accept .*/accept  = \"127.0.0.1:$port\"/" \
  -e "s/^connect .*/connect = \"127.0.0.1:$server_port\"/" \
  -e '/^#/d' "$root/examples/ldap/tunnel.toml" >"$work/tunnel.toml"
printf '[ldap.tls]\nca   = "ca.pem"\nname = "ldap.example.com"\n' >>"$work/tunnel.toml"
cat "$work/tunnel.toml"

say "tunnel check"
"$tunnel" check "$work/tunnel.toml" || die "the configuration was refused"

say "tunnel"
"$tunnel" "$work/tunnel.toml" >"$work/tunnel.log" 2>&1 &
tunnel_pid=$!
pids="$tunnel_pid $pids"
wait_until tunnel "$tunnel_pid" "$work/tunnel.log" " ready"
echo "ldap://127.0.0.1:$port/ leads to ldaps://127.0.0.1:$server_port/"

search="ldapsearch -x -LLL -H ldap://127.0.0.1:$port -b ou=people,dc=example,dc=com (sn=*) cn mail"
say "in plaintext through the tunnel: $search"
$search
result=$?
[ "$result" -eq 0 ] || {
  cat "$work/tunnel.log"
  die "the search failed"
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

# Stopped first, so that the log shows how the connection ended.
kill "$tunnel_pid"
wait "$tunnel_pid"
result=$?
say "the tunnel's log"
cat "$work/tunnel.log"
[ "$result" -eq 0 ] || die "the tunnel ended with status $result"
say "done"
