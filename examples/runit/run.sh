#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: under runit's supervision, with a real web server behind it. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/runit/run.sh               run once
#   sh examples/runit/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/runit/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="nginx-light curl runit"
begin_example "$@"

say "a real nginx, HTTPS only, with a certificate for www.example.com"
make_certificate server www.example.com
start_web_server

port=$(free_port)
adapt_config runit "127.0.0.1:$port" "127.0.0.1:$web_port" www.example.com
say "the service"
mkdir "$work/log"
adapt_service runit
chmod 755 "$work/sv/check" "$work/sv/log/run"
cat "$work/sv/run"
start_supervisor runsv "$work/sv"
shown sv -w 60 start "$work/sv"
shown curl -sS "http://127.0.0.1:$port/"
echo 'log_level = "debug"' | cat - "$work/tunnel.toml" >"$work/changed" &&
  mv "$work/changed" "$work/tunnel.toml"
shown "$tunnel" reload "$work/tunnel.toml"
shown sv status "$work/sv"
stay_up "curl http://127.0.0.1:$port/" "sv status $work/sv" "sv restart $work/sv"
shown sv -w 60 exit "$work/sv"
say "what svlogd has written"
cat "$work/log/current"
say "done"
