#!/bin/sh
# SPDX-License-Identifier: MIT
# A tunnel under a load of connections with random lives, while targets die and come back, names
# change, configurations are reloaded, certificates are renewed, and captures come and go. Shows memory,
# descriptors and CPU time for a fixed piece of work, at the start and at the end, and a verdict, which
# is its exit status. Loopback and a temporary folder only; ends by itself.
#
#   sh tests/soak/run.sh [SECONDS [CONNECTIONS]]     default: 600 s, 200 connections at a time
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"

if [ -z "${TUNNEL:-}" ]; then
  # shellcheck disable=SC2086  # lists of words
  install_packages $BUILD_PACKAGES haproxy python3-cryptography python3-psutil
  build_program plain
  TUNNEL=$tunnel
fi
export TUNNEL
/usr/bin/python3 "$root/tests/soak/soak.py" "$work" "${1:-600}" "${2:-200}"
