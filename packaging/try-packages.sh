#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the packages of what is committed in a fresh minimal Debian, twice, and installs them in
# another, where the installed program is tested, upgraded, removed and purged. Takes minutes; needs
# root, debootstrap and apt's archive. What it made is removed, but for the packages and the logs in
# build/packages-SUITE.
#
#   sh packaging/try-packages.sh [SUITE...]        default: bookworm trixie
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
[ "$(id -u)" = 0 ] || die "debootstrap and chroot want root"
install_packages debootstrap git
mounted=

# Whatever ends the script, no file system stays mounted in what is about to be removed.
unmount() {
  for folder in $mounted; do
    umount -l "$folder"
  done
  mounted=
}
trap 'unmount; leave' EXIT

# new_system FOLDER: a minimal Debian, of what is in the archive now.
new_system() {
  if [ -e "$work/$suite.tar" ]; then
    mkdir "$1"
    tar -x -C "$1" -f "$work/$suite.tar"
  else
    quietly debootstrap --variant=minbase "$suite" "$1"
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod 755 "$1/usr/sbin/policy-rc.d"
    tar -c -C "$1" -f "$work/$suite.tar" .
  fi
  mount -t proc proc "$1/proc"
  mounted="$1/proc $mounted"
  mount --rbind /dev "$1/dev"
  mount --make-rslave "$1/dev"
  mounted="$1/dev $mounted"
}

# inside FOLDER COMMAND...: in that system.
inside() {
  folder=$1
  shift
  chroot "$folder" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}

# files_of FOLDER: what packages put there; no log, cache or database of the package system.
files_of() {
  find "$1" -xdev \( -path "$1/proc" -o -path "$1/dev" -o -path "$1/tmp" -o -path "$1/var/cache" \
    -o -path "$1/var/log" -o -path "$1/var/lib/apt" -o -path "$1/var/lib/dpkg" \) -prune -o -print |
    sed "s|^$1||" | sort
}

try() {
  suite=$1
  results=$root/build/packages-$suite
  rm -rf "$results"
  mkdir -p "$results"

  say "$suite: building in a minimal system"
  builder=$work/$suite-builder
  new_system "$builder"
  quietly git clone -q "$root" "$builder/src"
  quietly inside "$builder" apt-get -q update
  quietly inside "$builder" apt-get -q install -y --no-install-recommends git ca-certificates
  inside "$builder" git config --global --add safe.directory /src
  inside "$builder" sh /src/packaging/build-deb.sh >"$results/build.log" 2>&1 || {
    tail -n 40 "$results/build.log" >&2
    die "$suite: the packages cannot be built; the whole log is $results/build.log"
  }
  grep '^== built twice' "$results/build.log"
  cp "$builder"/src/build/deb/*.deb "$results/"

  say "$suite: installing in another"
  user=$work/$suite-user
  new_system "$user"
  mkdir "$user/packages"
  cp "$results"/*.deb "$user/packages/"
  rm -f "$user"/packages/*dbgsym*
  git -C "$root" archive --prefix=src/ HEAD | tar -x -C "$user"
  quietly inside "$user" apt-get -q update
  # What the tests want, first, so that a purge can be compared with the time before.
  tests=$user/src/packaging/debian/tests
  # shellcheck disable=SC2046  # a list of words
  quietly inside "$user" apt-get -q install -y --no-install-recommends \
    $(sed -n 's/^Depends: //p' "$tests/control" | tr ',' '\n' | grep -v '^ *tunnel' | sort -u) \
    libgnutls30 libuv1
  # Their libraries, too: they stay when the packages go.
  quietly inside "$user" sh -c 'apt-get -q install -y --no-install-recommends /packages/*.deb &&
    apt-get -q purge -y tunnel tunnel-wireshark'
  files_of "$user" >"$results/before"
  quietly inside "$user" sh -c 'apt-get -q install -y --no-install-recommends /packages/*.deb'
  for name in $(sed -n 's/^Tests: //p' "$tests/control" | tr -d ','); do
    grep -A 4 "^Tests: $name\$" "$tests/control" | grep -q isolation-machine && continue
    say "$suite: $name"
    inside "$user" sh -c "mkdir -p /tmp/$name && cd /src && AUTOPKGTEST_TMP=/tmp/$name \
      sh packaging/debian/tests/$name" >"$results/$name.log" 2>&1 </dev/null || {
      tail -n 40 "$results/$name.log" >&2
      die "$suite: $name has failed with the installed program"
    }
  done

  say "$suite: upgrade, removal, purge"
  echo 'control = "off"' >"$user/etc/tunnel/mine.toml"
  quietly inside "$user" sh -c 'dpkg -i /packages/*.deb'
  quietly inside "$user" apt-get -q remove -y tunnel
  [ -e "$user/etc/tunnel/mine.toml" ] || die "$suite: an administrator's file has been removed"
  rm "$user/etc/tunnel/mine.toml"
  quietly inside "$user" apt-get -q purge -y tunnel tunnel-wireshark
  files_of "$user" >"$results/after"
  diff "$results/before" "$results/after" || die "$suite: purging leaves what is shown above"

  unmount
  rm -rf "$builder" "$user"
  say "$suite: ok"
}

[ $# -gt 0 ] || set -- bookworm trixie
for suite in "$@"; do
  try "$suite"
done
