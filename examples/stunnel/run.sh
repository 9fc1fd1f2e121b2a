#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a stunnel.conf as Debian has them, run as it is and taken over to
# TOML, and a real web server. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/stunnel/run.sh               run once
#   sh examples/stunnel/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/stunnel/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="nginx-light curl"
begin_example "$@"

say "a real nginx, HTTPS only, with a certificate for www.example.com"
make_certificate server www.example.com
start_web_server

# The example's own file, with this run's addresses and authority in the place of its own.
port=$(free_port)
sed -e "s/^accept .*/accept = 127.0.0.1:$port/" -e "s/^connect .*/connect = 127.0.0.1:$web_port/" \
  -e "s|^CApath .*|CAfile = $work/ca.pem|" -e '/^;/d' "$root/examples/stunnel/stunnel.conf" \
  >"$work/stunnel.conf"
say "the file as it is"
start_tunnel "$work/stunnel.conf"
shown curl -sS "http://127.0.0.1:$port/"
stop_tunnel

say "tunnel convert $work/stunnel.conf"
"$tunnel" convert "$work/stunnel.conf" >"$work/tunnel.toml" || die "the file was refused"
start_tunnel
shown curl -sS "http://127.0.0.1:$port/"
stay_up "curl http://127.0.0.1:$port/" \
  "diff $work/stunnel.conf $work/tunnel.toml" \
  "tail -f $work/tunnel.log"
finish_example "connection ended"
