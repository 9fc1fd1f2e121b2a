#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, makes a release build, and compares it with stunnel, HAProxy and nginx.
# Takes some minutes; a machine with nothing else to do gives the best figures. Arguments are those
# of bench.py, for instance --quick or --rounds 9. The figures are left in build/release/bench.json.
#
#   sh tests/bench/run.sh
#   tests/bench/table.py build/release/bench.json README.md docs/performance.md   # into the documents
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"

# shellcheck disable=SC2086  # lists of words
install_packages $BUILD_PACKAGES $UNIT_PACKAGES $BENCH_PACKAGES
configure release --buildtype=release -Dtests=true
say "building a release in ${build#"$root"/}"
quietly ninja -C "$build" src/cli/tunnel tests/bench/load tests/bench/aead
/usr/bin/python3 "$root/tests/bench/bench.py" --build "$build" --json "$build/bench.json" "$@"
