#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tables of bench.json.

table.py BENCH.JSON             for people: medians, and how far the rounds lie apart
table.py BENCH.JSON FILE...     writes the tables between the files' comments: the whole one between
                                `bench` (docs/performance.md) or, of another system than Debian 12,
                                between `bench-debian-13`, say; the short one between `bench-short`
                                (README.md)
"""

import json
import pathlib
import statistics
import sys

COLUMNS = (("tunnel", "tunnel"), ("stunnel", "stunnel"), ("haproxy", "HAProxy"),
           ("nginx", "nginx"), ("plain", "plain relay"), ("aead", "AEAD"))
# Figure, label, decimals. Smaller is better in all of them but the rates.
ROWS = (
    ("down_cpu_s_per_gib", "server to client, CPU s per GiB", 2),
    ("up_cpu_s_per_gib", "client to server, CPU s per GiB", 2),
    ("full_cpu_us", "connection, full handshake, CPU µs", 0),
    ("resumed_cpu_us", "connection, resumption offered, CPU µs", 0),
    ("resumed_share_resumed", "of those resumed", 2),
    ("request_cpu_us", "100-byte request, CPU µs", 1),
    ("many_request_cpu_us", "the same, 8,000 connections open, CPU µs", 1),
    ("idle_kib_per_connection", "idle connection, KiB", 1),
    ("start_mib", "at start, MiB", 1),
    ("added_p50_us", "added latency, median, µs", 0),
    ("added_p99_us", "added latency, 99 %, µs", 0),
    ("first_byte_ms", "first byte at a server 25 ms away, ms", 0),
    ("full_per_s", "connections a second, full", 0),
    ("resumed_per_s", "connections a second, resumption offered", 0),
)


def median(figures, program, figure):
    values = figures.get(program, {}).get(figure)
    return statistics.median(values) if values else None


def spread(values):
    """Half the distance of the extremes, in parts of the median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / 2 / abs(middle) if middle else 0.0


def _cell(figures, program, figure, decimals, with_spread):
    value = median(figures, program, figure)
    if value is None:
        return ""
    text = f"{value:.{decimals}f}"
    if with_spread:
        text += f" ±{spread(figures[program][figure]) * 100:.0f}%"
    return text


def _rows(result, with_spread):
    figures = result["figures"]
    present = [(key, label) for key, label in COLUMNS if key in figures]
    yield ["", *(label for _, label in present)]
    for figure, label, decimals in ROWS:
        cells = [_cell(figures, key, figure, decimals, with_spread) for key, _ in present]
        if any(cells):
            yield [label, *cells]


def is_debian_12(result):
    return "bookworm" in result["versions"].get("system", "")


def place_of(result):
    """The name of the comments between which the whole table stands."""
    if is_debian_12(result):
        return "bench"
    words = result["versions"]["system"].lower().replace("gnu/linux ", "").split()
    return "bench-" + "-".join(words[:2])


def goals(result):
    """The ratios and amounts that the program is to reach, as (text, value, limit)."""
    figures = result["figures"]

    def of(program, figure):
        return median(figures, program, figure)

    def best(figure, programs=("stunnel", "haproxy", "nginx")):
        return min((value for value in (of(peer, figure) for peer in programs)
                    if value is not None), default=None)

    def ratio(text, over, under, limit):
        if over is not None and under:
            found.append((text, over / under, limit))

    def amount(text, value, limit):
        if value is not None:
            found.append((text, value, limit))

    found = []
    # From OpenSSL 3.2 on the peers use VAES, too, and less is to be gained.
    per_gib = {"down": 0.33, "up": 0.33} if is_debian_12(result) else {"down": 0.55, "up": 0.50}
    for way in ("down", "up"):
        figure = f"{way}_cpu_s_per_gib"
        ratio(f"CPU per GiB {way} / best peer", of("tunnel", figure), best(figure), per_gib[way])
        plain, aead = of("plain", figure), of("aead", figure)
        if plain and aead:
            ratio(f"CPU per GiB {way} / (plain relay + AEAD)", of("tunnel", figure), plain + aead,
                  1.15)
    resuming = [peer for peer in ("stunnel", "haproxy", "nginx")
                if (of(peer, "resumed_share_resumed") or 0) > 0.5]
    ratio("CPU per connection, resumed / best peer that resumes", of("tunnel", "resumed_cpu_us"),
          best("resumed_cpu_us", resuming), 0.75)
    ratio("CPU per connection, full handshake / best peer", of("tunnel", "full_cpu_us"),
          best("full_cpu_us"), 0.60)
    ratio("CPU per 100-byte request / best peer", of("tunnel", "request_cpu_us"),
          best("request_cpu_us"), 0.72)
    amount("idle connection, KiB", of("tunnel", "idle_kib_per_connection"), 10)
    ratio("idle connection / best peer", of("tunnel", "idle_kib_per_connection"),
          best("idle_kib_per_connection"), 0.28)
    amount("at start with the system's trust store, MiB", of("system-trust", "start_mib"), 12)
    amount("start to ready with the system's trust store, CPU ms",
           of("system-trust", "ready_cpu_ms"), 60)
    services = of("check", "check_services")
    amount(f"check of {services or 0:.0f} services, CPU s", of("check", "check_cpu_s"), 1)
    ratio("CPU per request, 8,000 open connections / 100", of("tunnel", "many_request_cpu_us"),
          of("tunnel", "few_request_cpu_us"), 1.3)
    for figure, text in (("request_cpu_us", "request"), ("down_cpu_s_per_gib", "GiB down"),
                         ("up_cpu_s_per_gib", "GiB up")):
        ratio(f"CPU per {text}, two workers / one", of("workers", f"two_{figure}"),
              of("workers", f"one_{figure}"), 1.10)
    for way in ("down", "up"):
        figure = f"{way}_cpu_s_per_gib"
        ratio(f"CPU per GiB {way}, captured to memory / not captured",
              of("capture", f"on_{figure}"), of("capture", f"off_{figure}"), 1.5)
        off, write = of("capture", f"off_{figure}"), of("capture", "write_cpu_s_per_gib")
        if off and write:
            ratio(f"the same / (not captured + a bare write to memory), {way}",
                  of("capture", f"on_{figure}"), off + write, 1.25)
    ratio("first byte at a server 25 ms away, preconnect / without",
          of("preconnected", "first_byte_ms"), of("tunnel", "first_byte_ms"), 0.55)
    ratio("round trip, 99 %, watched by 12 slow clients and four scrapes a second / not watched",
          of("watched", "watched_p99_us"), of("watched", "alone_p99_us"), 1.10)
    share = of("workers", "smaller_share")
    if share is not None:
        amount("two workers: connections beyond an even split, %", (0.5 - share) * 200, 10)
    return found


def for_people(result):
    rows = list(_rows(result, with_spread=True))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths))) for row in rows]
    lines += ["", "medians of " + str(result["rounds"]) + " rounds; ± half the distance of the "
              "extremes"]
    if not result["is_release_build"]:
        lines.append("NOT A RELEASE BUILD: not to be compared with anything")
    for text, value, limit in goals(result):
        lines.append(f"{'ok  ' if value <= limit else 'MISS'} {text}: {value:.2f} (goal: at most "
                     f"{limit:g})")
    return "\n".join(lines)


def markdown(result):
    rows = list(_rows(result, with_spread=False))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---" + "|---:" * (len(rows[0]) - 1) + "|")
    lines += ["", "| goal | at most | measured |", "|---|---:|---:|"]
    for text, value, limit in goals(result):
        mark = "" if value <= limit else " (missed)"
        lines.append(f"| {text} | {limit:.2f} | {value:.2f}{mark} |")
    versions = ", ".join(f"{name} {text}" if name not in text else text
                         for name, text in result["versions"].items())
    lines += ["", f"Medians of {result['rounds']} rounds. {versions}."]
    return "\n".join(lines)


# What the README shows of ROWS and COLUMNS: the programs that people choose between.
SHORT_ROWS = ("down_cpu_s_per_gib", "up_cpu_s_per_gib", "full_cpu_us", "request_cpu_us",
              "idle_kib_per_connection")
SHORT_COLUMNS = 4


def short_markdown(result):
    head, *rows = _rows(result, with_spread=False)
    wanted = {label for figure, label, _ in ROWS if figure in SHORT_ROWS}
    rows = [row[:1 + SHORT_COLUMNS] for row in rows if row[0] in wanted]
    lines = ["| " + " | ".join(row) + " |" for row in [head[:1 + SHORT_COLUMNS], *rows]]
    lines.insert(1, "|---" + "|---:" * SHORT_COLUMNS + "|")
    return "\n".join(lines)


def fill(text, name, table):
    """`text` with the table between its comments called `name`; None if it has no such place."""
    begin, end = f"<!-- {name}: begin, made by tests/bench/table.py -->", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    return f"{before}{begin}\n\n{table}\n\n{end}{after}" if found else None


def main(args):
    result = json.loads(pathlib.Path(args[0]).read_text())
    if len(args) == 1:
        print(for_people(result))
        return 0
    if result["is_quick"] or not result["is_release_build"]:
        print("a quick run, or one of a build for debugging, is not for the documents",
              file=sys.stderr)
        return 1
    for path in map(pathlib.Path, args[1:]):
        text = path.read_text()
        filled = (fill(text, place_of(result), markdown(result)) or
                  fill(text, "bench-short", short_markdown(result)))
        if not filled:
            print(f"{path} has no place for a table of the benchmark", file=sys.stderr)
            return 1
        path.write_text(filled)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
