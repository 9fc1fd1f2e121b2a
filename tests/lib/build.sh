# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: MIT
# Sourced after debian.sh with `root` set to the checkout. POSIX sh. Defines: build_program,
# build_everything. Both take a NAME and meson options, build in $root/build/NAME, and set `build`
# to that folder and `tunnel` to the program, as use_build NAME does where that is all.

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

use_build() {
  build=$root/build/$1
  tunnel=$build/src/cli/tunnel
}

configure() {
  use_build "$1"
  shift
  if [ ! -f "$build/build.ninja" ]; then
    # Lines are all that a stack trace needs; all else a debugger could want takes a third longer
    # to compile.
    arguments="'-g1'"
    case " $* " in
      *" --buildtype=release "*) arguments= ;;
    esac
    # Each source includes what it uses all the same: packages are built without this (debian/rules),
    # and GCC says of each precompiled header that it is none for this source, until it finds the one.
    prelude=$build/prelude.h
    arguments="${arguments:+$arguments, }'-pthread', '-Wno-invalid-pch', '-include', '$prelude'"
    # A room is compiled in a few pieces: what its sources include is read once for each, which takes
    # half the time. One of them may then shadow what another has to itself, which is no error.
    together=on
    case " $* " in
      *" --buildtype=release "*) together=off ;; # what is measured is compiled as packages are
    esac
    [ $together = off ] || arguments="$arguments, '-Wno-error=shadow'"
    set -- "-Dcpp_args=[$arguments]" "-Dunity=$together" -Dunity_size=6 "$@"
    # It links in a tenth of the time.
    if command -v mold >/dev/null; then
      export CXX_LD=mold
    fi
    mkdir -p "$build"
    cp "$root/tests/lib/prelude.h" "$prelude"
    quietly meson setup "$@" "$build" "$root"
  elif [ $# -gt 0 ]; then
    quietly meson configure "$build" "$@"
  fi
  quietly python3 "$root/tests/lib/precompile.py" "$build"
}
