# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: MIT
# Sourced after script.sh: what to install, and how. POSIX sh. Defines: install_packages,
# unpack_package, BUILD_PACKAGES, UNIT_PACKAGES, BENCH_PACKAGES. With `may_install` set to "no", nothing
# is installed. Package names have no versions in them, so that they are the same in every Debian.

# Needed to build the program.
# shellcheck disable=SC2034  # used by those who source this
BUILD_PACKAGES="g++ meson ninja-build pkg-config python3
  libgnutls28-dev libuv1-dev libc-ares-dev libfmt-dev nlohmann-json3-dev
  libtomlplusplus-dev libcli11-dev libexpected-dev libmicrohttpd-dev prometheus-cpp-dev
  libseccomp-dev"

# Optional, and in Debian for amd64 only.
command -v dpkg >/dev/null && [ "$(dpkg --print-architecture)" = amd64 ] &&
  BUILD_PACKAGES="$BUILD_PACKAGES libipsec-mb-dev"

# Needed to build its unit tests, too.
# shellcheck disable=SC2034
UNIT_PACKAGES="mold doctest-dev"

# What the benchmark compares with, and what it needs.
# shellcheck disable=SC2034
BENCH_PACKAGES="stunnel4 haproxy nginx-light libnginx-mod-stream python3-cryptography
  ca-certificates"

may_install=yes

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME...: installs those that are missing, after it has said which they are.
install_packages() {
  command -v dpkg-query >/dev/null ||
    die "this script installs what it needs with apt-get and knows Debian only; elsewhere see README.md"
  missing=
  for package in "$@"; do
    case "$missing " in
      *" $package "*) ;; # wanted for two reasons
      *) is_installed "$package" || missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$may_install" = no ] || [ "$(id -u)" != 0 ]; then
    die "these packages are missing; as root: apt-get install --no-install-recommends$missing"
  fi
  say "installing with apt-get, and what they depend on:$missing"
  deny_servers
  # The lists of a fresh machine or container are empty, and those of an old one out of date.
  apt_get update
  # shellcheck disable=SC2086  # a list of words
  apt_get install -y --no-install-recommends $missing
  allow_servers
}

apt_get() {
  quietly env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"
}

# A package's server must not be started by its installation. A policy that is there already is the
# administrator's.
deny_servers() {
  policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  left_behind=$policy
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

allow_servers() {
  [ -z "$left_behind" ] || rm -f "$left_behind"
  left_behind=
}

# unpack_package NAME FOLDER: the package's files below the folder, without installing it, and what
# libraries it wants, installed.
unpack_package() {
  if [ ! -e "$2" ]; then
    say "unpacking $1, which is not installed, in ${2#"$root"/}"
    mkdir "$work/unpacked"
    # apt-get downloads into the working folder.
    (cd "$work/unpacked" && apt-get download -q "$1") >/dev/null 2>&1 || {
      [ "$(id -u)" != 0 ] || apt_get update
      # shellcheck disable=SC2016  # for the inner shell
      quietly sh -c 'cd "$1" && apt-get download -q "$2"' sh "$work/unpacked" "$1"
    }
    mv "$work/unpacked"/*.deb "$work/package.deb"
    quietly dpkg-deb -x "$work/package.deb" "$work/unpacked"
    dpkg-deb -f "$work/package.deb" Depends >"$work/unpacked/depends"
    find "$work/unpacked" -perm /6000 -exec chmod u-s,g-s {} +
    quietly mkdir -p "$(dirname "$2")"
    quietly mv "$work/unpacked" "$2"
    rm -f "$work/package.deb"
  fi
  # shellcheck disable=SC2046  # a list of words
  [ ! -e "$2/depends" ] || install_packages $(libraries_in "$2/depends")
}

# libraries_in FILE: the shared libraries of a list of dependencies: "libfoo1 (>= 2), perl | python".
libraries_in() {
  tr ',' '\n' <"$1" | sed -e 's/[(|].*//' -e 's/ //g' | grep -E '^z?lib' | grep -v -e '-perl$'
}
