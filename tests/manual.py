#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The manual pages against the program: manual.py PROGRAM.

Every key that `tunnel explain` lists has its entry in tunnel.toml(5), as docs/manual_entries.py makes
it, and the page describes no other; tunnel-stunnel.conf(5) has every option that
`tunnel explain stunnel` lists, in the same class and with the same key; tunnel(1) has every `kind`
word and every event, and so has `tunnel explain`; all pages are well-formed (where groff is).
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import manual_entries  # noqa: E402  which writes what is compared here


def described_keys(page):
    return set(re.findall(r"^\.It Ic (\S+)$", page, flags=re.MULTILINE))


def explained_stunnel(program):
    """(class, option, key) of each line of `tunnel explain stunnel`."""
    output = subprocess.run([program, "explain", "stunnel"], capture_output=True, text=True, check=True).stdout
    options = set()
    for line in output.splitlines():
        if line and not line.startswith(" "):
            kind = re.match(r"\w+", line)[0].lower()
        elif line:
            name, why = line.split(None, 1)
            key = re.match(r"([a-z_.]+): ", why) if kind == "implemented" else None
            options.add((kind, name, key[1] if key else ""))
    return options


def described_stunnel(page):
    """The same of the manual page."""
    options = set()
    for section in re.split(r"^\.Sh (?=\w+ OPTIONS$)", page, flags=re.MULTILINE)[1:]:
        kind = section.split()[0].lower()
        for name, key in re.findall(r"^\.It Cm (\w+)\n(?:\.Ic (\S+) :\n)?", section, re.MULTILINE):
            options.add((kind, name, key))
    return options


def described_words(page):
    """Every literal of every list item: `.It Li ok` and `.It Li a , Li b`."""
    items = re.findall(r"^\.It Li (.+)$", page, re.MULTILINE)
    return {word for item in items for word in item.split() if word not in (",", "Li")}


def words_of(path, start):
    """The string literals of the first initialiser behind `start` in a C++ file."""
    text = (ROOT / path).read_text()
    return set(re.findall(r'"([a-z_0-9]+)"', text[text.index(start):].split("};")[0]))


def explained_words(program, chapter):
    """What `tunnel explain kinds` (events, ...) explains: the lines that begin in the first column."""
    output = subprocess.run([program, "explain", chapter], capture_output=True, text=True, check=True).stdout
    return {line for line in output.splitlines() if re.fullmatch(r"[a-z0-9_]+", line)}


def differences(what, program, page, page_name):
    for word in sorted(program - page):
        yield f"{page_name} does not describe {what} {word}"
    for word in sorted(page - program):
        yield f"{page_name} describes {what} {word}, which the program does not have"


def main():
    complaints = []
    reference = (ROOT / "docs/tunnel.toml.5").read_text()
    command = (ROOT / "docs/tunnel.1").read_text()
    keys = set(manual_entries.keys_of(sys.argv[1]))
    if len(keys) < 40:
        complaints.append(f"`tunnel explain` lists only {len(keys)} keys")
    complaints += differences("key", keys, described_keys(reference), "tunnel.toml(5)")
    if manual_entries.page_with_entries(sys.argv[1], reference) != reference:
        complaints.append("entries of tunnel.toml(5) differ from `tunnel explain`: run docs/manual_entries.py")
    kinds = words_of("src/base/kind.cc", "kWords")
    events = words_of("src/log/line.cc", "kEventWords")
    assert "cert_expired" in kinds and "dial_failed" in events, "the tables of words have moved"
    # Reloading is described when there is a reload.
    for chapter, words in (("kinds", kinds), ("events", events)):
        complaints += differences("word", words, explained_words(sys.argv[1], chapter),
                                  f"`tunnel explain {chapter}`")
    complaints += differences("word", kinds | events, described_words(command), "tunnel(1)")
    options = explained_stunnel(sys.argv[1])
    if len(options) < 90:
        complaints.append(f"`tunnel explain stunnel` lists only {len(options)} options")
    described = described_stunnel((ROOT / "docs/tunnel-stunnel.conf.5").read_text())
    complaints += differences("option", options, described, "tunnel-stunnel.conf(5)")
    if shutil.which("groff"):
        for page in ("docs/tunnel.1", "docs/tunnel.toml.5", "docs/tunnel-stunnel.conf.5"):
            lint = ["groff", "-mdoc", "-Tutf8", "-ww", "-z", str(ROOT / page)]
            complaints += subprocess.run(lint, capture_output=True, text=True).stderr.splitlines()
    for complaint in complaints:
        print(complaint)
    print(f"{len(keys)} keys, {len(kinds)} kinds, {len(complaints)} problems")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
