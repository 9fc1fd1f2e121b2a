#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a real Redis that speaks TLS only, and redis-cli, which speaks
# plaintext. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/redis/run.sh               run once
#   sh examples/redis/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/redis/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="redis-server redis-tools"
begin_example "$@"

say "a real Redis, TLS only, with a certificate for redis.example.com"
make_certificate server redis.example.com
server_port=$(free_port)
start_server redis "$server_port" redis-server --port 0 --tls-port "$server_port" \
  --bind 127.0.0.1 --save "" --dir "$work" --tls-auth-clients no \
  --tls-cert-file "$work/server.pem" --tls-key-file "$work/server.key" \
  --tls-ca-cert-file "$work/ca.pem"

port=$(free_port)
adapt_config redis "127.0.0.1:$port" "127.0.0.1:$server_port" redis.example.com
start_tunnel
shown redis-cli -p "$port" set greeting hello
shown redis-cli -p "$port" get greeting
stay_up "redis-cli -p $port" \
  "$tunnel status $work/tunnel.toml"
finish_example "connection ended"
