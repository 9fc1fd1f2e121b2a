# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: MIT
# Sourced after debian.sh with `root` set to the checkout. POSIX sh. Defines: build_program,
# build_everything. Both take a NAME and meson options, build in $root/build/NAME, and set `build`
# to that folder and `tunnel` to the program.

# The program only; a new folder needs nothing of what the tests are built with.
build_program() {
  if [ -f "$root/build/$1/build.ninja" ]; then
    configure "$@"
  else
    configure "$@" -Dtests=false
  fi
  say "building the program (a few minutes at the first time): ${tunnel#"$root"/}"
  quietly ninja -C "$build" src/cli/tunnel
}

build_everything() {
  configure "$@" -Dtests=true
  say "building everything in ${build#"$root"/}"
  quietly ninja -C "$build"
}

configure() {
  build=$root/build/$1
  tunnel=$build/src/cli/tunnel
  shift
  if [ ! -f "$build/build.ninja" ]; then
    case " $* " in
      *" --buildtype=release "*) ;;
      # Lines are all that a stack trace needs; all else a debugger could want takes a third longer
      # to compile.
      *) set -- -Dcpp_args=-g1 "$@" ;;
    esac
    # It links in a tenth of the time.
    if command -v mold >/dev/null; then
      export CXX_LD=mold
    fi
    quietly meson setup "$@" "$build" "$root"
  elif [ $# -gt 0 ]; then
    quietly meson configure "$build" "$@"
  fi
}
