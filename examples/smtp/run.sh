#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a real SMTP server that takes no mail without STARTTLS, and curl,
# which speaks plaintext. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/smtp/run.sh               run once
#   sh examples/smtp/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/smtp/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="python3-aiosmtpd curl"
begin_example "$@"

say "a real SMTP server that insists on STARTTLS, with a certificate for mail.example.com"
make_certificate server mail.example.com
server_port=$(free_port)
# Unbuffered, or its log would have the mail when it ends.
start_server smtpd "$server_port" env PYTHONUNBUFFERED=1 /usr/bin/aiosmtpd -n \
  -l "127.0.0.1:$server_port" \
  --tlscert "$work/server.pem" --tlskey "$work/server.key" -c aiosmtpd.handlers.Debugging stdout

port=$(free_port)
adapt_config smtp "127.0.0.1:$port" "127.0.0.1:$server_port" mail.example.com
start_tunnel
printf 'From: ada@example.com\r\nTo: grace@example.com\r\nSubject: through a tunnel\r\n\r\nHello.\r\n' \
  >"$work/mail"
shown curl -sS "smtp://127.0.0.1:$port" --mail-from ada@example.com --mail-rcpt grace@example.com \
  -T "$work/mail"
say "what the server has taken"
wait_until smtpd "$server_pid" "$work/smtpd.log" "END MESSAGE"
grep -v '^$' "$work/smtpd.log"
stay_up "curl smtp://127.0.0.1:$port --mail-from me@example.com --mail-rcpt you@example.com -T $work/mail" \
  "$tunnel status $work/tunnel.toml"
finish_example "connection ended"
