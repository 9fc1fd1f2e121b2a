#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the root file system of a container in FOLDER: the program, the libraries that it needs, the
# trust store, and nothing else. Without PROGRAM it builds one; as root it installs what building needs.
#
#   sh packaging/container/root.sh FOLDER [PROGRAM]
set -eu
[ $# -eq 1 ] || [ $# -eq 2 ] || { echo "usage: root.sh FOLDER [PROGRAM]" >&2; exit 2; }
image=$1
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"
if [ $# -eq 2 ]; then
  tunnel=$2
else
  # shellcheck disable=SC2086  # a list of words
  install_packages $BUILD_PACKAGES ca-certificates
  build_program container --buildtype=release --prefix=/usr
fi

say "the root file system"
rm -rf "$image"
mkdir -p "$image/proc" "$image/dev" "$image/usr/bin" "$image/usr/lib" "$image/usr/share" \
  "$image/etc/tunnel" "$image/etc/ssl" "$image/run" "$image/tmp"
ln -s usr/bin "$image/bin"
ln -s usr/lib "$image/lib"
ln -s usr/lib64 "$image/lib64"
mkdir -p "$image/usr/lib64"
cp "$tunnel" "$image/usr/bin/tunnel"
strip "$image/usr/bin/tunnel" 2>/dev/null || true
# The closure of libraries, each where the loader looks for it.
ldd "$tunnel" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\).*/\1/p' |
  while read -r library; do
    place=$image$(dirname "$library")
    mkdir -p "$place"
    cp -L "$library" "$place/"
  done
mkdir -p "$image/etc/ssl/certs"
cp -L /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
printf 'root:x:0:0:root:/:/sbin/nologin\ntunnel:x:65532:65532:tunnel:/:/sbin/nologin\n' >"$image/etc/passwd"
printf 'root:x:0:\ntunnel:x:65532:\n' >"$image/etc/group"
chown -R 0:0 "$image" 2>/dev/null || true
mkdir -p "$image/run/tunnel-tunnel"
chown 65532:65532 "$image/run/tunnel-tunnel"
chmod 1777 "$image/tmp"
du -sh "$image"
