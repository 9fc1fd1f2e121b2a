# shellcheck shell=sh disable=SC2154,SC2034,SC2120
# SPDX-License-Identifier: MIT
# Sourced by examples/*/run.sh with `root` set to the checkout. POSIX sh. What every example with
# directory servers does first and last. Defines: begin_example, start_tunnel, finish_example.
. "$root/tests/lib/script.sh"
. "$root/tests/lib/debian.sh"
. "$root/tests/lib/build.sh"
. "$root/tests/lib/directory.sh"

# begin_example ARGUMENT...: reads the command line into `keep`, installs what is missing, builds
# (TUNNEL names a program to take instead), and makes an authority. MORE_PACKAGES are the example's own.
begin_example() {
  keep=
  for argument in "$@"; do
    case $argument in
      --keep) keep=yes ;;
      --no-install) may_install=no ;;
      *) die "usage: run.sh [--no-install] [--keep]" ;;
    esac
  done
  # shellcheck disable=SC2086  # lists of words
  if [ -n "${TUNNEL-}" ]; then
    tunnel=$TUNNEL
    [ -x "$tunnel" ] || die "TUNNEL=$tunnel is not a program"
    install_packages $DIRECTORY_PACKAGES ${MORE_PACKAGES-}
  else
    install_packages $BUILD_PACKAGES $DIRECTORY_PACKAGES ${MORE_PACKAGES-}
    build_program plain
  fi
  say "a throw-away authority"
  make_authority
}

# start_tunnel: checks $work/tunnel.toml and runs it. Its log is $work/tunnel.log, its process
# $tunnel_pid.
start_tunnel() {
  say "the configuration"
  cat "$work/tunnel.toml"
  say "tunnel check"
  "$tunnel" check "$work/tunnel.toml" || die "the configuration was refused"
  say "tunnel"
  "$tunnel" "$work/tunnel.toml" >"$work/tunnel.log" 2>&1 &
  tunnel_pid=$!
  # Stopped first at the end: it has nobody to complain about then.
  pids="$tunnel_pid $pids"
  wait_until tunnel "$tunnel_pid" "$work/tunnel.log" " ready"
}

# finish_example: stops the tunnel, which must end in order, so that its log shows how every
# connection ended, and shows that log; with a PATTERN, the lines that match it.
finish_example() {
  kill "$tunnel_pid"
  wait "$tunnel_pid"
  result=$?
  if [ $# -gt 0 ]; then
    say "what the tunnel's log says of it"
    grep -E "$1" "$work/tunnel.log"
  else
    say "the tunnel's log"
    cat "$work/tunnel.log"
  fi
  [ "$result" -eq 0 ] || die "the tunnel ended with status $result"
  say "done"
}
