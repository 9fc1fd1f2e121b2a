#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, and runs every test. The last line is `N passed, N failed`.
# Before anything is installed, it says what; with --no-install, it ends there.
#
#   sh tests/run.sh                 everything
#   sh tests/run.sh plain           lint, guards, e2e, the examples and a short soak, on a plain build
#   sh tests/run.sh asan            the unit tests, the examples, and the e2e tests that are not marked
#                                   `heavy` or `once`, under AddressSanitizer and
#                                   UndefinedBehaviorSanitizer
#   sh tests/run.sh tsan            what has threads, under ThreadSanitizer
#   sh tests/run.sh plain asan      and so on
#   sh tests/run.sh --build asan    builds what these parts need, and ends
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"

# Peers and clients of the e2e tests, and what checks the manual pages.
TEST_PACKAGES="python3-pytest python3-pytest-xdist python3-cryptography python3-psutil
  python3-jsonschema python3-yaml slapd ldap-utils nginx-light libnginx-mod-stream openssl
  gnutls-bin postgresql mariadb-server redis-server postfix
  dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved vsftpd prosody haproxy tinyproxy
  microsocks inn2-inews
  openssh-server python3-aiosmtpd runit s6 curl
  rsync softhsm2 stunnel4 bind9 bind9-dnsutils default-jdk-headless
  ca-certificates procps iproute2 groff-base openssh-client socat tshark valgrind w3m prometheus clang
  libmonitoring-plugin-perl chromium"

passed=0
failed=0

# count PASSED FAILED
count() {
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# meson_tests NAME MESON-TEST-ARGUMENT...: runs them in $build and counts.
meson_tests() {
  name=$1
  shift
  say "$name"
  # The log's name tells the wrapper that the tests ran under, if any: testlog-setarch.json.
  rm -f "$build"/meson-logs/testlog*.json
  meson test -C "$build" --no-rebuild --print-errorlogs "$@" || :
  log=$(find "$build/meson-logs" -name 'testlog*.json')
  # shellcheck disable=SC2046  # two numbers
  if [ -s "$log" ]; then
    count $(/usr/bin/python3 "$root/tests/lib/tally.py" meson "$log")
  else
    say "no test has run"
    count 0 1
  fi
}

# e2e_tests PYTEST-ARGUMENT...: runs tests/e2e against $tunnel and counts. Most of a test's time is
# spent waiting: two at once for every processor.
e2e_tests() {
  say "e2e: $tunnel"
  report=$build/e2e.xml
  rm -f "$report"
  (cd "$root" && TUNNEL=$tunnel /usr/bin/python3 -m pytest tests/e2e -q -p no:cacheprovider \
    -n $(($(nproc) * 2)) --dist loadfile --junit-xml="$report" "$@") || :
  # shellcheck disable=SC2046  # two numbers
  if [ -s "$report" ]; then
    count $(/usr/bin/python3 "$root/tests/lib/tally.py" pytest "$report")
  else
    say "pytest left no report"
    count 0 1
  fi
}

# Every example must be a configuration that the program accepts.
examples() {
  say "examples"
  for file in "$root"/examples/*/*.toml; do
    # A token has its key only while the example's own run.sh runs.
    ! grep -q 'pkcs11:' "$file" || continue
    if "$tunnel" check "$file"; then
      count 1 0
    else
      say "check refused $file"
      count 0 1
    fi
  done
}

# The examples that show the program at work, with real servers.
shown() {
  for script in "$root"/examples/*/run.sh; do
    say "${script#"$root"/}"
    if TUNNEL=$tunnel sh "$script" >"$build/shown.log" 2>&1 </dev/null; then
      count 1 0
    else
      cat "$build/shown.log"
      count 0 1
    fi
  done
}

# What `meson install` must leave behind.
installation() {
  say "installation"
  stage=$build/stage
  rm -rf "$stage"
  quietly env DESTDIR="$stage" meson install -C "$build" --no-rebuild
  for file in bin/tunnel share/man/man1/tunnel.1 share/man/man5/tunnel.toml.5 \
    share/man/man5/tunnel-stunnel.conf.5 \
    share/doc/tunnel/README.md share/doc/tunnel/examples/ldap/tunnel.toml \
    share/doc/tunnel/examples/ldap-failover/tunnel.toml share/doc/tunnel/examples/runit/sv/run \
    share/doc/tunnel/examples/stunnel/stunnel.conf share/doc/tunnel/docs/security.md \
    etc/tunnel/README etc/logrotate.d/tunnel sysusers.d/tunnel.conf \
    systemd/system/tunnel@.service; do
    if [ -n "$(find "$stage" -type f -path "*/$file")" ]; then
      count 1 0
    else
      say "the installation lacks $file"
      count 0 1
    fi
  done
  # What needs the source to run is of no use there.
  if [ -z "$(find "$stage" -name '*.sh')" ]; then
    count 1 0
  else
    say "the installation has scripts"
    count 0 1
  fi
}

# A minute of load and of trouble.
soak() {
  say "soak"
  if TUNNEL=$tunnel sh "$root/tests/soak/run.sh" 40 500 >"$build/soak.log" 2>&1 </dev/null; then
    count 1 0
  else
    cat "$build/soak.log"
    count 0 1
  fi
}

# build_ahead PART: tests wait for their servers, and what the processors have to spare meanwhile builds
# what comes next; in a process group of its own, which leave() ends.
build_ahead() {
  python3 -c 'import os, sys; os.setpgid(0, 0); os.nice(19); os.execvp("sh", ["sh", *sys.argv[1:]])' \
    "$root/tests/run.sh" --build "$1" >"$work/ahead.log" 2>&1 </dev/null &
  pids=$!
  ahead=$1
}

# get_built PART: now, or when the one that has begun with it is done.
get_built() {
  if [ "$ahead" = "$1" ]; then
    wait "$pids" || {
      cat "$work/ahead.log" >&2
      die "failed: to build $1"
    }
    cat "$work/ahead.log"
    pids= # its number may be another process's from now on
    ahead=
    use_build "$1"
  else
    "build_$1"
  fi
}

# The unit tests run under sanitizers; to compile them here, too, takes longer than the program. Those
# that do not go with a sanitizer run here.
build_plain() {
  configure plain -Dtests=true
  say "building in ${build#"$root"/}"
  quietly ninja -C "$build" src/cli/tunnel tests/sandbox/test_sandbox tests/import/openssl_list \
    tests/guard/guard tests/bench/load tests/bench/aead tests/faults/fail_call.so
}

plain() {
  meson_tests "lint, and the unit tests of the sandbox" --suite lint --suite unsanitized
  meson_tests "guards" --suite guard
  installation
  examples
  shown
  e2e_tests
  soak
}

# Clang takes half of GCC's time over instrumented code, and this way both compile the program.
use_clang() {
  export CXX=clang++
}

build_asan() {
  # Warnings are errors here and under TSan; not in the plain build, which the examples share with
  # people whose compiler may be a newer one.
  use_clang
  # The optimiser takes twice as long over instrumented code. At a fixed address, of the 20 MB that
  # sanitizers note for themselves none must be relocated, and the program starts in half the time.
  build_everything asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false \
    -Doptimization=0 -Db_pie=false
  unset CXX
}

asan() {
  # Findings end the program: one that is only printed would be overlooked.
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  meson_tests "unit tests under ASan and UBSan" --suite unit --timeout-multiplier 4
  examples
  export TUNNEL_SANITIZED=1
  # Leaks are for the unit tests: to look for them takes as long as to start. The soak watches memory.
  ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
  e2e_tests -m "not heavy and not once"
  unset ASAN_OPTIONS UBSAN_OPTIONS TUNNEL_SANITIZED
}

# The rooms whose tests start threads; of two large ones, what does.
rooms="log uv balance runtime tls_threads tunnel_threads"

build_tsan() {
  use_clang
  configure tsan -Dtests=true -Dwerror=true -Db_sanitize=thread -Db_lundef=false -Doptimization=0
  unset CXX
  say "building what has threads in ${build#"$root"/}"
  programs=
  for room in $rooms; do
    programs="$programs tests/${room%_threads}/test_$room"
  done
  # shellcheck disable=SC2086  # a list of words
  quietly ninja -C "$build" $programs
}

tsan() {
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  # An older ThreadSanitizer cannot live with the address randomisation of recent kernels.
  fixed=
  setarch "$(uname -m)" -R true 2>/dev/null && fixed="setarch $(uname -m) -R"
  # shellcheck disable=SC2086  # a list of words
  meson_tests "threads under TSan" ${fixed:+--wrapper "$fixed"} --timeout-multiplier 4 $rooms
  unset TSAN_OPTIONS
}

ahead=
parts=
build_only=
for argument in "$@"; do
  case $argument in
    plain | asan | tsan) parts="$parts $argument" ;;
    --no-install) may_install=no ;;
    --build) build_only=yes ;;
    *) die "no part called $argument: plain, asan or tsan" ;;
  esac
done
parts=${parts:-plain asan tsan}
# shellcheck disable=SC2086  # lists of words
install_packages $BUILD_PACKAGES $UNIT_PACKAGES $BENCH_PACKAGES $TEST_PACKAGES
# Its sanitizers' runtime is a package whose name has the version.
install_packages "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
# INN installs only where the machine has a domain name; its nnrpd runs from anywhere.
unpack_package inn2 "$root/build/inn2"
if [ -n "$build_only" ]; then
  for part in $parts; do
    "build_$part"
  done
  exit 0
fi
# shellcheck disable=SC2086  # a list of words
set -- $parts
while [ $# -gt 0 ]; do
  get_built "$1"
  [ $# -eq 1 ] || build_ahead "$2"
  # A part in a subshell would lose its counts; a part that dies ends the run with its message.
  "$1"
  shift
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
