#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the Debian packages of what is committed, twice: both must be the same, octet by octet, and
# lintian must have nothing to say. The packages are in build/deb then. As root it installs what that
# needs.
#
#   sh packaging/build-deb.sh [--once]
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
# shellcheck disable=SC2086  # a list of words
install_packages $BUILD_PACKAGES build-essential debhelper dh-apparmor lintian git

build() { # FOLDER
  rm -rf "$1"
  mkdir -p "$1/tunnel"
  git -C "$root" archive HEAD | tar -x -C "$1/tunnel"
  mv "$1/tunnel/packaging/debian" "$1/tunnel/debian"
  say "building in $1"
  (cd "$1/tunnel" && dpkg-buildpackage -us -uc -b >"$1/log" 2>&1) || {
    tail -40 "$1/log"
    die "dpkg-buildpackage has failed; the whole log is $1/log"
  }
}

SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH
build "$root/build/deb"
say "lintian"
lintian --fail-on error,warning --tag-display-limit 0 "$root"/build/deb/*.changes
if [ "${1-}" != --once ]; then
  build "$root/build/deb-again"
  for package in "$root"/build/deb/*.deb; do
    cmp "$package" "$root/build/deb-again/${package##*/}"
  done
  say "built twice, and the same"
fi
ls -l "$root"/build/deb/*.deb
