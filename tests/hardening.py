#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What makes mistakes in the program hard to exploit, read from its ELF file: hardening.py PROGRAM.

Position independent, all relocations read-only before main, no executable stack, stack protector,
fortified libc calls, and the C++ library's assertions."""

import subprocess
import sys


def readelf(*args):
    return subprocess.run(["readelf", "-W", *args], capture_output=True, text=True, check=True).stdout


def main(program):
    header, segments = readelf("-h", program), readelf("-l", program)
    dynamic, symbols = readelf("-d", program), readelf("--dyn-syms", program)
    stack = next(line for line in segments.splitlines() if "GNU_STACK" in line)
    wanted = {
        "position independent (PIE)": "DYN (Position-Independent" in header
        or "Type:                              DYN" in header,
        "relocations are read-only (RELRO)": "GNU_RELRO" in segments,
        "all of them are resolved at the start (BIND_NOW)": "BIND_NOW" in dynamic
        or "Flags: NOW" in dynamic,
        "the stack is not executable": " E " not in stack and "RWE" not in stack,
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified calls (_FORTIFY_SOURCE)": "_chk@" in symbols,
        "assertions of the C++ library": "__glibcxx_assert_fail" in symbols,
    }
    missing = [what for what, is_there in wanted.items() if not is_there]
    for what in missing:
        print(f"{program} lacks: {what}")
    print(f"{len(wanted)} properties, {len(missing)} missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
