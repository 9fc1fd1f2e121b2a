#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws the rooms of src/ as docs/rooms.svg, from the table of rooms in README.md.

rooms.py            writes the picture
rooms.py --check    fails if the picture is not the one that the table gives
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import layering  # noqa: E402  the table has one reader

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 118, 40, 24, 44, 20
PICTURE = ROOT / "docs" / "rooms.svg"


def needed_rooms(room, names):
    """The rooms that `room` may include, wholly or by a header."""
    return [name for name in names if any(a.split("/")[0] == name for a in room.allowed)]


def floors(rooms):
    """Each room one floor below the lowest room that it includes."""
    names = [room.name for room in rooms]
    floor = {}
    for room in rooms:
        floor[room.name] = 1 + max((floor[n] for n in needed_rooms(room, names)), default=-1)
    return floor


def direct(rooms):
    """Arrows, without those that a longer way implies: the picture would be a carpet."""
    names = [room.name for room in rooms]
    needs = {room.name: set(needed_rooms(room, names)) for room in rooms}
    for name, others in needs.items():
        implied = set().union(*(needs[other] for other in others)) if others else set()
        yield name, sorted(others - implied)


def picture(rooms):
    floor = floors(rooms)
    rows = {}
    for room in rooms:
        rows.setdefault(floor[room.name], []).append(room.name)
    widest = max(len(row) for row in rows.values())
    width = 2 * MARGIN + widest * WIDTH + (widest - 1) * GAP_X
    height = 2 * MARGIN + len(rows) * HEIGHT + (len(rows) - 1) * GAP_Y
    place = {}
    for level, row in rows.items():
        indent = (width - len(row) * WIDTH - (len(row) - 1) * GAP_X) / 2
        for index, name in enumerate(row):
            place[name] = (indent + index * (WIDTH + GAP_X), MARGIN + level * (HEIGHT + GAP_Y))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="sans-serif" font-size="14">',
        "<title>Rooms of src/: an arrow points to a room that may be included</title>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>',
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for name, others in direct(rooms):
        x, y = place[name]
        for other in others:
            to_x, to_y = place[other]
            lines.append(f'<line x1="{x + WIDTH / 2:g}" y1="{y:g}" x2="{to_x + WIDTH / 2:g}" '
                         f'y2="{to_y + HEIGHT:g}" stroke="#666" marker-end="url(#a)"/>')
    for name, (x, y) in place.items():
        lines.append(f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
                     'fill="#eef3f8" stroke="#345"/>')
        lines.append(f'<text x="{x + WIDTH / 2:g}" y="{y + HEIGHT / 2 + 5:g}" '
                     f'text-anchor="middle" fill="#123">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def main(args):
    text = picture(layering.read_table((ROOT / "README.md").read_text()))
    if args == ["--check"]:
        if PICTURE.read_text() == text:
            return 0
        print("docs/rooms.svg is not what the table in README.md says: run docs/rooms.py")
        return 1
    PICTURE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
