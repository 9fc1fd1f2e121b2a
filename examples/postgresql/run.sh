#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a real PostgreSQL server that lets nobody in without TLS, and psql,
# which speaks plaintext. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/postgresql/run.sh               run once
#   sh examples/postgresql/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/postgresql/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="postgresql"
begin_example "$@"

say "a real PostgreSQL, TLS only, with a certificate for db.example.com"
make_certificate server db.example.com
home_of postgres
data=$work/postgres/data
programs=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
cd / || exit # initdb wants to come back to where it began
quietly as_user postgres "$programs/initdb" -D "$data" -U joe --no-sync --auth=trust
echo "hostssl all all 127.0.0.1/32 trust" >"$work/postgres/hba.conf"
chmod 644 "$work/postgres/hba.conf"
server_port=$(free_port)
start_server postgres "$server_port" as_user postgres "$programs/postgres" -D "$data" \
  -p "$server_port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
  -c shared_buffers=16MB -c ssl=on -c ssl_cert_file="$work/postgres/server.pem" \
  -c ssl_key_file="$work/postgres/server.key" -c hba_file="$work/postgres/hba.conf"

port=$(free_port)
adapt_config postgresql "127.0.0.1:$port" "127.0.0.1:$server_port" db.example.com
start_tunnel
shown psql "host=127.0.0.1 port=$port user=joe dbname=postgres sslmode=disable" -X \
  -c "select version, cipher from pg_stat_ssl where pid = pg_backend_pid()"
stay_up "psql \"host=127.0.0.1 port=$port user=joe dbname=postgres sslmode=disable\"" \
  "$tunnel status $work/tunnel.toml"
finish_example "connection ended"
