#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows `tunnel` at work: a client certificate on a PKCS#11 token, and a real web server that
# lets nobody in without one. Everything is on the loopback address, in
# a temporary folder, and gone at the end.
#
#   sh examples/token/run.sh               run once
#   sh examples/token/run.sh --keep        stay up until Ctrl-C, and print what to try
#   sh examples/token/run.sh --no-install  say what is missing instead of installing it
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/example.sh"
SERVER_PACKAGES="nginx-light curl softhsm2 gnutls-bin"
begin_example "$@"

say "a token with a key and its certificate"
make_certificate robot robot.example.com
sed -i 's/serverAuth/clientAuth/' "$work/robot.ext"
quietly openssl x509 -req -in "$work/robot.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
  -CAcreateserial -days 60 -extfile "$work/robot.ext" -out "$work/robot.pem"
mkdir "$work/tokens"
printf '%s\n' "directories.tokendir = $work/tokens" "objectstore.backend = file" \
  "log.level = ERROR" >"$work/softhsm2.conf"
export SOFTHSM2_CONF="$work/softhsm2.conf"
quietly softhsm2-util --init-token --free --label robots --pin 1234 --so-pin 56789
for what in privkey:robot.key certificate:robot.pem; do
  quietly env GNUTLS_PIN=1234 p11tool --batch --login --write "--load-${what%:*}" \
    "$work/${what#*:}" --label robot --id 01 "pkcs11:token=robots"
done
rm "$work/robot.key"
(umask 077 && printf 1234 >"$work/pin")
shown env GNUTLS_PIN=1234 p11tool --batch --login --only-urls --list-all "pkcs11:token=robots"

say "a real nginx that asks for it, with a certificate for www.example.com"
make_certificate server www.example.com
start_web_server "ssl_verify_client on; ssl_client_certificate $work/ca.pem;"

port=$(free_port)
adapt_config token "127.0.0.1:$port" "127.0.0.1:$web_port" www.example.com
start_tunnel
shown curl -sS "http://127.0.0.1:$port/"
stay_up "curl http://127.0.0.1:$port/" \
  "$tunnel status $work/tunnel.toml"
finish_example "connection ended"
