#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` in the place of balance, stunnel and a supervisor: three real directory servers that
# speak LDAPS only, searched in plaintext through the tunnel. Two are killed in turn, searches go on,
# and the log says why. Then one is drained and replaced by a fourth, without a restart. Everything is on the loopback address, in a temporary folder, and gone at the
# end.
#
#   sh examples/ldap-failover/run.sh               run once
#   sh examples/ldap-failover/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/ldap-failover/run.sh --no-install  say what is missing instead of installing it
# shellcheck disable=SC2154  # dc1_port, dc1_pid and their like are set by eval
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
begin_example "$@"

say "three real slapds, LDAPS only, with certificates for dc1, dc2 and dc3.example.com"
for name in dc1 dc2 dc3; do
  make_certificate "$name" "$name.example.com"
  server_port=$(free_port)
  start_slapd "$name" "$server_port"
  eval "${name}_port=$server_port ${name}_pid=$slapd_pid"
  echo "$name: ldaps://127.0.0.1:$server_port/, process $slapd_pid"
done
targets="[[$(
  printf '{ address = "127.0.0.1:%s", name = "dc1.example.com" }, ' "$dc1_port"
  printf '{ address = "127.0.0.1:%s", name = "dc2.example.com" }],\\\n  ' "$dc2_port"
  printf '[{ address = "127.0.0.1:%s", name = "dc3.example.com" }]]' "$dc3_port"
)"

# The example's own file, with this run's addresses and authority in the place of its own. The
# servers are reached by address here, so their names have to be said.
port=$(free_port)
sed -e "s/^accept .*/accept  = \"127.0.0.1:$port\"/" \
  -e "s/^connect .*/connect = $targets/" \
  -e '/^#/d' "$root/examples/ldap-failover/tunnel.toml" >"$work/tunnel.toml"
printf '[ldap.tls]\nca = "ca.pem"\n' >>"$work/tunnel.toml"
# A place for its control socket that is this run's own.
sed -i '1i control = "control.sock"' "$work/tunnel.toml"
start_tunnel

# The entry that says which server answers.
base="-x -LLL -o nettimeout=30 -H ldap://127.0.0.1:$port -b dc=example,dc=com -s base"
searches=0

# search: one search through the tunnel. Leaves the name of the server that answered in `answer`.
search() {
  # shellcheck disable=SC2086  # a list of words
  answer=$(ldapsearch $base description 2>"$work/search.err" | sed -n 's/^description: //p')
  searches=$((searches + 1))
  [ -n "$answer" ] || {
    cat "$work/search.err" "$work/tunnel.log" >&2
    die "search $searches failed"
  }
}

# search_often NAMES: ten searches, which these servers must answer and no other.
search_often() {
  : >"$work/answers"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    search
    echo "$answer" >>"$work/answers"
  done
  tr '\n' ' ' <"$work/answers" && echo
  answered=$(sort -u "$work/answers" | tr '\n' ' ')
  [ "$answered" = "$1 " ] || {
    cat "$work/tunnel.log" >&2
    die "$answered answered, not $1"
  }
}

# kill_server NAME: without a chance to say goodbye to anybody.
kill_server() {
  eval "server_pid=\$${1}_pid"
  kill -9 "$server_pid"
  wait "$server_pid" 2>/dev/null
  forget "$server_pid"
}

# await_log NAME TEXT: until the log says it of that server.
await_log() {
  eval "server_port=\$${1}_port"
  wait_until tunnel "$tunnel_pid" "$work/tunnel.log" "127.0.0.1:$server_port $2"
}

say "in plaintext through the tunnel: ldapsearch $base description"
search_often "dc1 dc2"

say "dc1 is killed, and searches go on"
kill_server dc1
search_often "dc2"
await_log dc1 ejected

say "dc2 is killed too, and the third serves"
kill_server dc2
search_often "dc3"
await_log dc2 ejected

say "both are brought back"
for name in dc1 dc2; do
  eval "run_slapd $name \$${name}_port"
  eval "${name}_pid=$slapd_pid"
done
await_log dc1 "serves again"
await_log dc2 "serves again"
until_answer dc1 search
until_answer dc2 search

say "maintenance: dc1 is drained and gets no new connection"
"$tunnel" target "$work/tunnel.toml" ldap "127.0.0.1:$dc1_port" drain || die "dc1 is not drained"
search_often "dc2"

say "dc4 takes the place of dc1 in the file, which is reloaded while searches go on"
make_certificate dc4 dc4.example.com
dc4_port=$(free_port)
start_slapd dc4 "$dc4_port"
dc4_pid=$slapd_pid
sed -e "s/127.0.0.1:$dc1_port/127.0.0.1:$dc4_port/; s/dc1.example.com/dc4.example.com/" \
  "$work/tunnel.toml" >"$work/changed.toml"
mv "$work/changed.toml" "$work/tunnel.toml"
"$tunnel" reload "$work/tunnel.toml" || die "the changed file is refused"
until_answer dc4 search
search_often "dc2 dc4"
"$tunnel" status "$work/tunnel.toml" | sed -n '/^ldap/,/^$/p'
say "$searches searches, none failed"

if [ -n "$keep" ]; then
  cat <<EOF
== staying up; Ctrl-C stops everything. In another terminal, try:
  while sleep 1; do ldapsearch $base description; done
  tail -f $work/tunnel.log
  kill $dc1_pid              # searches go on, and the log says why
  kill -STOP $dc2_pid        # it accepts and never answers: this one search takes longer
  kill -CONT $dc2_pid
  $tunnel explain health.check
EOF
  wait "$tunnel_pid"
fi
finish_example ' (ejected|serves again) '
