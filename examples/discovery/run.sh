#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` finding its servers in DNS: a real bind with SRV records, which change while curl asks
# through the tunnel, and web servers that speak HTTPS only. One is added and another taken away, the
# last of a group goes and the next group serves, and in the end bind is killed. Everything is on
# loopback addresses, in a temporary folder, and gone at the end.
#
#   sh examples/discovery/run.sh               run once
#   sh examples/discovery/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/discovery/run.sh --no-install  say what is missing instead of installing it
# shellcheck disable=SC2154  # one_port and its like are set by eval
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="bind9 bind9-dnsutils nginx-light curl"
begin_example "$@"
records=_https._tcp.example.com

# web_server NAME: nginx at a port of its own, NAME_port, with a certificate for NAME.example.com.
web_server() {
  make_certificate server "$1.example.com"
  web_name=$1
  start_web_server "return 200 '$1\\n';"
  eval "$1_port=$web_port"
  echo "$1: https://$1.example.com:$web_port/, process $server_pid"
}

say "three real nginx, HTTPS only, with certificates for one, two and three.example.com"
for name in one two three; do web_server "$name"; done

# change LINE...: of the zone, as nsupdate takes it.
change() {
  printf '%s\n' "server 127.0.0.1 $dns_port" "zone example.com" "$@" send | tee "$work/change" |
    sed -n '/^update/p'
  nsupdate "$work/change" || die "nsupdate failed"
}

say "a real bind with the zone example.com"
dns_port=$(free_port)
mkdir "$work/bind"
cat >"$work/bind/named.conf" <<EOF
options {
  directory "$work/bind";
  pid-file none;
  session-keyfile "$work/bind/session.key";
  listen-on port $dns_port { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
};
controls {};
zone "example.com" {
  type primary;
  file "$work/bind/example.com";
  allow-update { 127.0.0.1; };
};
EOF
cat >"$work/bind/example.com" <<EOF
\$TTL 1
@ IN SOA ns.example.com. root.example.com. 1 3600 600 86400 1
@ IN NS ns
ns IN A 127.0.0.1
one IN A 127.0.0.1
two IN A 127.0.0.1
three IN A 127.0.0.1
$records. IN SRV 10 50 $one_port one.example.com.
$records. IN SRV 20 50 $two_port two.example.com.
EOF
start_server named "$dns_port" named -g -c "$work/bind/named.conf"
dns_pid=$server_pid
shown dig +short -p "$dns_port" @127.0.0.1 "$records" SRV

# The example's own file, with this run's addresses, name server and authority in the place of its own.
port=$(free_port)
{
  echo 'control = "control.sock"'
  sed -e "s/^accept .*/accept  = \"127.0.0.1:$port\"/" -e '/^#dns_servers/!{/^#/d}' \
    -e "s/^#dns_servers.*/dns_servers = [\"127.0.0.1:$dns_port\"]/" \
    "$root/examples/discovery/tunnel.toml"
  printf '\n[web.tls]\nca = "ca.pem"\n'
} >"$work/tunnel.toml"
start_tunnel

# ask: one request through the tunnel. Leaves the name of the server that answered in `answer`.
requests=0
ask() {
  answer=$(curl -sS "http://127.0.0.1:$port/" 2>"$work/curl.err") || {
    cat "$work/curl.err" "$work/tunnel.log" >&2
    die "request $requests failed"
  }
  requests=$((requests + 1))
}

say "curl through the tunnel: the server with the lowest priority answers"
ask
[ "$answer" = one ] || die "$answer answered, not one"
echo "$answer"

say "three is added to DNS, and one taken away: nobody tells the tunnel"
change "update add $records 1 SRV 10 50 $three_port three.example.com." \
  "update delete $records SRV 10 50 $one_port one.example.com."
until_answer three ask

say "three goes, too, and the second group serves; this time the tunnel is told to look"
change "update delete $records SRV 10 50 $three_port three.example.com."
"$tunnel" resolve "$work/tunnel.toml" web || die "the tunnel does not ask"
until_answer two ask

say "bind is killed: the last good answer serves on"
kill -9 "$dns_pid"
wait "$dns_pid" 2>/dev/null
forget "$dns_pid"
wait_until tunnel "$tunnel_pid" "$work/tunnel.log" "the last good answer stays in use"
until_answer two ask
"$tunnel" status "$work/tunnel.toml" | sed -n '/^web/,/^$/p'
say "$requests requests, none failed"
if [ -n "$keep" ]; then
  start_server named "$dns_port" named -g -c "$work/bind/named.conf"
  stay_up "curl http://127.0.0.1:$port/" \
    "printf '%s\\n' 'server 127.0.0.1 $dns_port' 'update add $records 1 SRV 10 50 $one_port one.example.com.' send | nsupdate" \
    "$tunnel status $work/tunnel.toml"
fi
finish_example ' (WARN|ERROR|web\[1\]) '
