#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints `PASSED FAILED` for what one suite left behind, counting cases rather than programs.

tally.py meson TESTLOG.json     unit programs count by their doctest summary, others as one
tally.py pytest JUNIT.xml       pytest's own report; a skipped test is neither, unless something was
                               missing that tests/run.sh has installed or built
"""

import json
import re
import sys
import xml.etree.ElementTree

# Why a test is skipped that tests/run.sh has installed or built everything for.
ABSENT = re.compile(r"is not installed|is not built|could not import")
SUMMARY = re.compile(r"test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")


def of_meson(path):
    passed = failed = 0
    for line in open(path, encoding="utf-8"):
        test = json.loads(line)
        is_ok = test["result"] == "OK"
        match = SUMMARY.search(test.get("stdout") or "")
        cases_passed, cases_failed = map(int, match.groups()) if match else (int(is_ok), 0)
        passed += cases_passed
        # A program may fail without a failed case: a crash, a sanitizer's finding, a time-out.
        failed += cases_failed if is_ok or cases_failed else 1
    return passed, failed


def of_pytest(path):
    passed = failed = 0
    for suite in xml.etree.ElementTree.parse(path).iter("testsuite"):
        count = {key: int(suite.get(key, 0)) for key in ("tests", "errors", "failures", "skipped")}
        absent = [s for s in suite.iter("skipped") if ABSENT.search(s.get("message", ""))]
        bad = count["errors"] + count["failures"] + len(absent)
        count["skipped"] -= len(absent)
        failed += bad
        passed += max(0, count["tests"] - bad - count["skipped"])
    return passed, failed


if __name__ == "__main__":
    kind, path = sys.argv[1:]
    print(*{"meson": of_meson, "pytest": of_pytest}[kind](path))
