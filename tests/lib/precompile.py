#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""precompile.py BUILD: compiles BUILD/prelude.h, which every source there includes first, once for
each set of options that sources are compiled with. That takes a third off the time of a build.

What is there already is left, unless a header that it consists of has changed: clang refuses what is
older than its headers, and an upgrade of the system's is no reason to begin a build from nothing."""

import concurrent.futures
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys

build = pathlib.Path(sys.argv[1]).resolve()
header = build / "prelude.h"


def options(command):
    """What two compilations must have in common to share a precompiled header."""
    words = [word for word in shlex.split(command) if pathlib.Path(word).name != "ccache"]
    kept, with_value = [], {"-o", "-MQ", "-MF", "-include"}
    skip = False
    for word in words[:words.index("-c")]:
        if skip or word in with_value:
            skip = not skip
        elif word != "-MD" and not word.startswith("-I"):
            kept.append(word)
    return tuple(kept)


def age_of(path):
    try:
        return pathlib.Path(path).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def is_current(output, record):
    """The record is of the headers' ages when it was compiled. A package's headers can be younger
    than those before and older than what was compiled from them."""
    if not output.exists() or not record.exists():
        return False
    return all(age_of(path) == age for path, age in json.loads(record.read_text()).items())


def headers_in(depfile):
    """What a make rule says that its target is made from."""
    return depfile.read_text().replace("\\\n", " ").partition(":")[2].split()


def precompile(compiler):
    is_clang = "clang" in compiler[0]
    # Clang is given all at once, GCC looks for the one that fits; both in a folder of this name.
    folder = header.with_name("prelude.h." + ("pch" if is_clang else "gch"))
    notes = header.with_name("prelude.notes")  # beside it: GCC would try them, too
    folder.mkdir(exist_ok=True)
    notes.mkdir(exist_ok=True)
    name = hashlib.sha256("\0".join(compiler).encode()).hexdigest()[:16]
    output = folder / f"{name}.{folder.suffix[1:]}"
    record, depfile = notes / f"{name}.json", notes / f"{name}.d"
    if is_current(output, record):
        return output
    more = ["-fpch-instantiate-templates"] if is_clang else []
    subprocess.run([*compiler, *more, "-MD", "-MF", depfile, "-x", "c++-header", header,
                    "-o", output], cwd=build, check=True)
    record.write_text(json.dumps({path: age_of(path) for path in headers_in(depfile)}))
    return output


commands = json.loads((build / "compile_commands.json").read_text())
kinds = sorted({options(entry["command"]) for entry in commands})
with concurrent.futures.ThreadPoolExecutor() as pool:
    wanted = {done.result() for done in [pool.submit(precompile, kind) for kind in kinds]}
for one in header.parent.glob("prelude.h.?ch/*"):
    if one not in wanted:
        one.unlink()
