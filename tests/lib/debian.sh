# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Sourced by the scripts that a person runs (tests/run.sh, examples/*/run.sh): what to install, and
# how. POSIX sh. Defines: say, die, quietly, install_packages, BUILD_PACKAGES,
# BENCH_PACKAGES.

# Needed to build the program and its unit tests on Debian 12.
# shellcheck disable=SC2034  # used by those who source this
BUILD_PACKAGES="g++ meson ninja-build pkg-config python3
  libgnutls28-dev libuv1-dev libc-ares-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libtomlplusplus-dev libcli11-dev libexpected-dev doctest-dev"

# What the benchmark compares with, and what it needs.
# shellcheck disable=SC2034
BENCH_PACKAGES="stunnel4 haproxy nginx-light libnginx-mod-stream python3-cryptography
  ca-certificates"

say() { printf '%s\n' "== $*"; }
die() {
  printf '%s\n' "$0: $*" >&2
  exit 1
}

# Shows a command's output only when it fails.
quietly() {
  output=$(mktemp)
  if "$@" >"$output" 2>&1 </dev/null; then
    rm -f "$output"
  else
    tail -n 60 "$output" >&2
    rm -f "$output"
    die "failed: $*"
  fi
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME...: installs those that are missing. Without root, says which they are.
install_packages() {
  command -v dpkg-query >/dev/null ||
    die "this script installs what it needs with apt-get and knows Debian only; elsewhere see README.md"
  missing=
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || die "these packages are missing (run as root, or install them):$missing"
  say "installing$missing"
  # A package's server must not be started by its installation. A policy that is there already is
  # the administrator's. In a subshell, so that the policy goes away however this ends.
  (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'rm -f "$policy"' EXIT
      trap 'exit 1' HUP INT TERM
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # The lists of a fresh machine or container are empty, and those of an old one out of date.
    quietly apt-get update -q
    # shellcheck disable=SC2086  # a list of words
    quietly apt-get install -y -q --no-install-recommends $missing
  ) || die "installing packages failed"
}

# unpack_package NAME FOLDER: the package's files below the folder, without installing it.
unpack_package() {
  [ ! -e "$2" ] || return 0
  say "unpacking $1"
  (
    mkdir -p "$2.new"
    trap 'rm -rf "$2.new"' EXIT
    cd "$2.new" || exit 1
    apt-get download -q "$1" >/dev/null 2>&1 || {
      [ "$(id -u)" != 0 ] || quietly apt-get update -q
      quietly apt-get download -q "$1"
    }
    quietly dpkg-deb -x ./*.deb .
    rm -f ./*.deb
    find . -perm /6000 -exec chmod u-s,g-s {} +
    mv "$2.new" "$2"
  ) || die "unpacking $1 failed"
}
