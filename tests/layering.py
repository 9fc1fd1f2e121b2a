#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks the #includes of src/ and tests/ against the table of rooms in README.md.

The table is the only place that says which room may include which, and which library lives in which
room; this script reads it there, so that it cannot grow old. A room is a folder of src/. Its row
names the rooms it may include: `base`, or `config/model.h` for one header only, or "all above".
A library prefix in the third column (`gnutls/`) may be included by the rooms that list it only.

Within a room there is an order, too: a unit, which is a header with its source, never includes another
one that includes it back, directly or by a longer way.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CODE = re.compile(r"`([^`]+)`")


class Room:
    def __init__(self, name, allowed, libraries):
        self.name = name
        self.allowed = allowed  # rooms, or single headers
        self.libraries = libraries  # prefixes of header names


def read_table(readme):
    """The rooms, in order, from the first table whose head begins with `| room |`."""
    rows = []
    lines = iter(readme.splitlines())
    for line in lines:
        if re.match(r"\|\s*room\s*\|", line):
            next(lines)  # the rule below the head
            break
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|\n ").split("|")])
    rooms = []
    for name, may_include, libraries, *_ in rows:
        names = CODE.findall(may_include)
        if "all above" in may_include:
            names = [room.name for room in rooms]
        rooms.append(Room(CODE.findall(name)[0], names, CODE.findall(libraries)))
    return rooms


def includes(text):
    """(line number, header) of each #include. Comments and strings hold none that matter."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)


def problems_of_source(room, rooms, text):
    """(line number, complaint) for each include of a file of src/ROOM."""
    names = {r.name for r in rooms}
    for number, header in includes(text):
        owner = header.split("/")[0] if "/" in header else None
        if owner in names and owner != room.name:
            if owner not in room.allowed and header not in room.allowed:
                yield number, f"{room.name} may not include {header}"
        for library in {p for r in rooms for p in r.libraries}:
            if header.startswith(library) and library not in room.libraries:
                homes = [r.name for r in rooms if library in r.libraries]
                yield number, f"{header} belongs to {' and '.join(homes)}, not to {room.name}"


def problems_of_test(room, rooms, text):
    """Tests of a room may use that room and every one above it."""
    order = [r.name for r in rooms]
    for number, header in includes(text):
        owner = header.split("/")[0] if "/" in header else None
        if owner in order and order.index(owner) > order.index(room.name):
            yield number, f"tests of {room.name} may not include {header}, which comes later"


# A connection and the service that it belongs to still know each other.
KNOWN_KNOTS = [["tunnel/connection", "tunnel/service"]]


def unit_of(path):
    """`tls/session` for session.h, session.cc and session_impl.h, which is the private half of it, as
    are stream_block.h of stream.h and connection_dialing.h of connection.h."""
    return re.sub(r"(_impl|_block|_dialing)?\.(h|cc)$", "", path)


def knots(texts):
    """Circles of units that include each other; `texts` maps a path below src/ to the file's text."""
    uses = {}
    for path, text in texts.items():
        headers = [header for _, header in includes(text) if header in texts]
        uses.setdefault(unit_of(path), set()).update(map(unit_of, headers))
    above = {}  # all that a unit includes, by any way

    def reach(unit):
        if unit not in above:
            above[unit] = set()
            todo = list(uses[unit])
            while todo:
                next_unit = todo.pop()
                if next_unit not in above[unit]:
                    above[unit].add(next_unit)
                    todo.extend(uses[next_unit])
        return above[unit]

    found = []
    for unit in sorted(uses):
        circle = sorted(u for u in reach(unit) if u != unit and unit in reach(u))
        if circle and unit < circle[0]:
            found.append([unit, *circle])
    return found


def check(root):
    complaints = []
    rooms = read_table((root / "README.md").read_text())
    build = (root / "src/meson.build").read_text()
    order = re.findall(r"^subdir\('(\w+)'\)", build, re.MULTILINE)
    if [room.name for room in rooms] != order:
        complaints.append(f"README.md: rooms {[r.name for r in rooms]}, but src/meson.build: {order}")
    count = 0
    for kind, look in (("src", problems_of_source), ("tests", problems_of_test)):
        for room in rooms:
            for path in sorted((root / kind / room.name).rglob("*")):
                if path.suffix not in (".h", ".cc"):
                    continue
                count += 1
                for number, complaint in look(room, rooms, path.read_text()):
                    complaints.append(f"{path.relative_to(root)}:{number}: {complaint}")
    strays = [p for p in (root / "src").iterdir() if p.is_dir() and p.name not in order]
    complaints += [f"{p.relative_to(root)}: a folder that is no room" for p in strays]
    sources = [p for p in (root / "src").rglob("*") if p.suffix in (".h", ".cc")]
    texts = {str(p.relative_to(root / "src")): p.read_text() for p in sources}
    complaints += ["these include each other: " + ", ".join(knot) for knot in knots(texts)
                   if knot not in KNOWN_KNOTS]
    if count < 20:
        complaints.append(f"only {count} files found under {root}: is this the right folder?")
    return count, complaints


def check_the_checker():
    """A checker that finds nothing is worth nothing: each kind of offence, made up."""
    rooms = read_table(
        "| room | may include | library | holds |\n|---|---|---|---|\n"
        "| `base` | - | | values |\n| `config` | `base` | `toml++/` | files |\n"
        "| `tls` | `base` `config/model.h` | `gnutls/` | TLS |\n| `cli` | all above | | main |\n"
    )
    base, config, tls, cli = rooms
    assert cli.allowed == ["base", "config", "tls"], cli.allowed

    def offences(room, text, look=problems_of_source):
        return [number for number, _ in look(room, rooms, text)]

    assert offences(base, '#include "base/a.h"\n#include <config/b.h>') == [2]
    assert offences(config, "#include <toml++/toml.h>\n#include <gnutls/gnutls.h>") == [2]
    assert offences(tls, '#include "config/model.h"\n # include "config/schema.h"') == [2]
    assert offences(cli, '#include "tls/a.h"\n#include <vector>\n#include <sys/types.h>') == []
    assert offences(base, '#include "cli/x.h"', problems_of_test) == [1]
    assert offences(cli, '#include "base/x.h"', problems_of_test) == []

    circle = {"a/x.h": "", "a/x.cc": '#include "a/x.h"\n#include "a/y.h"', "a/y.h": '#include "a/z.h"',
              "a/z.h": "", "a/z.cc": '#include "a/z.h"\n#include "a/x.h"'}
    assert knots(circle) == [["a/x", "a/y", "a/z"]], knots(circle)
    pimpl = {"a/x.h": "", "a/x_impl.h": '#include "a/x.h"', "a/x.cc": '#include "a/x_impl.h"'}
    assert knots(pimpl) == [], knots(pimpl)


def main():
    check_the_checker()
    root = pathlib.Path(__file__).resolve().parent.parent
    count, complaints = check(root)
    for complaint in complaints:
        print(complaint)
    print(f"{count} files, {len(complaints)} problems")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
