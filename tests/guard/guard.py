#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fails when a fixed workload needs a tenth more instructions than it once did. Instructions,
counted by valgrind, repeat where times do not.

guard.py PROGRAM BUILDTYPE            compares with figures.json
guard.py PROGRAM BUILDTYPE --update   writes it

The figures belong to the versions of the libraries and of the compiler, and to valgrind's idea of
the processor, that they were counted with; with others nothing is compared, and that is said.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

FIGURES = pathlib.Path(__file__).resolve().parent / "figures.json"
WORKLOADS = ("handshakes", "streams", "requests", "preconnected")
ALLOWED = 1.10


def circumstances(program, buildtype):
    def said(*args):
        return subprocess.run(args, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    found = {name: said("pkg-config", "--modversion", name) for name in ("gnutls", "libuv",
                                                                         "nettle")}
    found["valgrind"] = said("valgrind", "--version")
    with open(program, "rb") as file:
        compilers = set(re.findall(rb"GCC: \([^)]*\) [\d.]+|clang version [\d.]+", file.read()))
    found["compiler"] = ", ".join(sorted(c.decode() for c in compilers))
    found["buildtype"] = buildtype
    found["processor"] = " ".join(flag for flag in ("aes", "pclmulqdq", "avx", "avx2", "movbe")
                                  if flag in flags)
    return found


def count(program, workload):
    # meson has malloc fill what it gives: thousands of instructions for a record's room. And the
    # library that does AES-GCM must not depend on the processor.
    plain = {**os.environ, "MALLOC_PERTURB_": "0", "TUNNEL_AEAD": "gnutls"}
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
         "--toggle-collect=counted(*", program, f"-tc={workload}"],
        check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=plain)
    found = re.search(r"Collected : (\d+)", done.stdout)
    if done.returncode != 0 or not found or int(found[1]) == 0:
        sys.exit(f"{workload}: could not be counted\n{done.stdout}")
    return int(found[1])


def main(program, buildtype, *options):
    here = circumstances(program, buildtype)
    if "--update" in options:
        counts = {workload: count(program, workload) for workload in WORKLOADS}
        FIGURES.write_text(json.dumps({"circumstances": here, "instructions": counts}, indent=1)
                           + "\n")
        print(f"{FIGURES}: {counts}")
        return 0
    stored = json.loads(FIGURES.read_text())
    if stored["circumstances"] != here:
        print("nothing was compared: the figures were counted elsewhere\n"
              f"  then: {stored['circumstances']}\n  here: {here}")
        return 0
    worst = 0
    for workload in WORKLOADS:
        now, then = count(program, workload), stored["instructions"][workload]
        worst = max(worst, now / then)
        print(f"{workload}: {now} instructions, {now / then - 1:+.1%} of what is stored")
    if worst > ALLOWED:
        print(f"FAILED: more than {ALLOWED - 1:+.0%}. If that is worth it, say why in the commit "
              f"that stores the new figures:\n  {sys.argv[0]} {program} {buildtype} --update")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
