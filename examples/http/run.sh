#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a real web server that speaks HTTPS only, and curl, which asks in
# plaintext through a unix socket. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/http/run.sh               run once
#   sh examples/http/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/http/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="nginx-light curl"
begin_example "$@"

say "a real nginx, HTTPS only, with a certificate for www.example.com"
make_certificate server www.example.com
start_web_server

adapt_config http "$work/web.sock" "127.0.0.1:$web_port" www.example.com
start_tunnel
shown ls -l "$work/web.sock"
shown curl -sS --unix-socket "$work/web.sock" http://www.example.com/
stay_up "curl --unix-socket $work/web.sock http://www.example.com/" \
  "$tunnel status $work/tunnel.toml"
finish_example "connection ended"
