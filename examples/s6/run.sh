#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: under s6's supervision, with a real web server behind it. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/s6/run.sh               run once
#   sh examples/s6/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/s6/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="nginx-light curl s6"
begin_example "$@"

say "a real nginx, HTTPS only, with a certificate for www.example.com"
make_certificate server www.example.com
start_web_server

port=$(free_port)
adapt_config s6 "127.0.0.1:$port" "127.0.0.1:$web_port" www.example.com
say "the service"
adapt_service s6
cat "$work/sv/run"
start_supervisor s6-supervise "$work/sv"
shown s6-svwait -U -t 60000 "$work/sv"
shown curl -sS "http://127.0.0.1:$port/"
shown "$tunnel" reload "$work/tunnel.toml"
shown s6-svstat "$work/sv"
stay_up "curl http://127.0.0.1:$port/" "s6-svstat $work/sv" "s6-svc -r $work/sv"
shown s6-svc -wD -T 60000 -d "$work/sv"
say "the tunnel's log"
cat "$work/s6-supervise.log"
say "done"
