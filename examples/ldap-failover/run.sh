#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows failover: three real directory servers that speak LDAPS only, and a loop of plaintext searches
# through one tunnel. One server is killed and started again; no search fails. Everything is on the
# loopback address, in a temporary folder, and gone at the end.
#
#   sh examples/ldap-failover/run.sh           run once
#   sh examples/ldap-failover/run.sh --keep    stay up until Ctrl-C, and print what to try
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

say "a throw-away authority, and three real slapd, LDAPS only"
make_authority
targets=
for name in dc1 dc2 dc3; do
  make_certificate "$name" "$name.example.com"
  server_port=$(free_port)
  start_slapd "$name" "$server_port"
  [ "$name" != dc1 ] || {
    dc1_pid=$slapd_pid
    dc1_port=$server_port
  }
  # Reached by address here, so each is told which name its certificate must carry.
  targets="$targets{ address = \"127.0.0.1:$server_port\", name = \"$name.example.com\" }, "
  echo "$name: ldaps://127.0.0.1:$server_port/"
done

# The example's own file, with this run's addresses and authority, and checks that do not keep a
# reader waiting.
say "the configuration"
port=$(free_port)
sed -e "s/^accept .*/accept  = \"127.0.0.1:$port\"/" \
  -e "s|^connect .*|connect = [${targets%, }]|" \
  -e 's/^interval .*/interval = "500ms"/' \
  -e '/^#/d' "$root/examples/ldap-failover/tunnel.toml" >"$work/tunnel.toml"
printf '[ldap.tls]\nca = "ca.pem"\n' >>"$work/tunnel.toml"
cat "$work/tunnel.toml"

say "tunnel check"
"$tunnel" check "$work/tunnel.toml" || die "the configuration was refused"

say "tunnel"
"$tunnel" "$work/tunnel.toml" >"$work/tunnel.log" 2>&1 &
tunnel_pid=$!
pids="$tunnel_pid $pids"
wait_until tunnel "$tunnel_pid" "$work/tunnel.log" " ready"

# search COUNT: that many searches, each of which must find the people.
search() {
  done=0
  while [ "$done" -lt "$1" ]; do
    found=$(ldapsearch -x -LLL -H "ldap://127.0.0.1:$port" -b ou=people,dc=example,dc=com \
      '(sn=*)' cn 2>&1) || {
      echo "$found"
      cat "$work/tunnel.log"
      die "a search failed"
    }
    done=$((done + 1))
  done
  echo "$1 searches, all answered"
}

say "searching through ldap://127.0.0.1:$port/"
search 12
say "dc1 is killed; the searches go on"
kill -9 "$dc1_pid"
search 12
wait_until tunnel "$tunnel_pid" "$work/tunnel.log" "127.0.0.1:$dc1_port ejected"
say "dc1 is back; the searches go on"
run_slapd dc1 "$dc1_port"
wait_until tunnel "$tunnel_pid" "$work/tunnel.log" "127.0.0.1:$dc1_port serves again"
search 12

if [ -n "$keep" ]; then
  cat <<EOF
== staying up; Ctrl-C stops everything. In another terminal, try:
  ldapsearch -x -LLL -H ldap://127.0.0.1:$port -b dc=example,dc=com
  kill $slapd_pid     # dc1 once more; then search: nobody notices but the log
  tail -f $work/tunnel.log
  $tunnel explain health.check
EOF
  wait "$tunnel_pid"
fi

# Stopped first, so that the log shows how the connections ended.
kill "$tunnel_pid"
wait "$tunnel_pid"
result=$?
say "the tunnel's log tells which server took each search, and why dc1 did not"
cat "$work/tunnel.log"
[ "$result" -eq 0 ] || die "the tunnel ended with status $result"
say "done"
