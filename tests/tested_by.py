#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks that a stranger finds the tests of every source: see tests/tested_by.md."""

import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUOTED = re.compile(r"`([^`]+)`")


def rows(text):
    """(patterns of sources, names of tests) of each row of the table."""
    for line in text.splitlines():
        if line.startswith("| `"):
            sources, tests = line.strip("| ").split(" | ")
            yield QUOTED.findall(sources), QUOTED.findall(tests)


def sources_without_a_test(root):
    """ROOM/NAME of each source that has no namesake and whose header no test of its room includes."""
    texts = {}
    for test in root.glob("tests/*/*_test.cc"):
        texts[test.parent.name] = texts.get(test.parent.name, "") + test.read_text()
    for source in sorted(root.glob("src/*/*.cc")):
        room, name = source.parent.name, source.stem
        has_namesake = (root / "tests" / room / f"{name}_test.cc").exists()
        if not has_namesake and f'"{room}/{name}.h"' not in texts.get(room, ""):
            yield f"{room}/{name}"


def problems(root):
    table = list(rows((root / "tests/tested_by.md").read_text()))
    used = set()
    for source in sources_without_a_test(root):
        fitting = next((pattern for patterns, _ in table for pattern in patterns
                        if fnmatch.fnmatchcase(source, pattern)), None)
        if fitting is None:
            yield f"src/{source}.cc has neither a namesake test nor a row"
        used.add(fitting)
    for patterns, tests in table:
        yield from (f"the row of {pattern} fits no source that needs one"
                    for pattern in patterns if pattern not in used)
        yield from (f"{patterns[0]} is said to be tested by tests/{test}, which is not there"
                    for test in tests if not (root / "tests" / test).exists())


found = list(problems(ROOT))
for problem in found:
    print(f"tests/tested_by.md: {problem}")
sys.exit(1 if found else 0)
