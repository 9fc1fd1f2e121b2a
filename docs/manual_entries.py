#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes what `tunnel explain` says of each key into tunnel.toml(5): manual_entries.py PROGRAM.

An entry of the page is `.It Ic KEY`, the key's type, default and help as `tunnel explain KEY` gives
them, and then, behind a line `.\\" By hand:`, what only the page says. tests/manual.py fails when an
entry is another one.
"""

import pathlib
import re
import subprocess
import sys
import textwrap

PAGE = pathlib.Path(__file__).resolve().parent / "tunnel.toml.5"
ENTRY = re.compile(r"\.It Ic ([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)$")
BY_HAND = '.\\" By hand:'
SENTENCE = re.compile(r"(?<=[.;:]) (?=[A-Z\"`0-9])")
# What stands out in a help text: code in backticks, an array, a table, `key = "value"`, a string,
# and names with a dot or an underscore, which may be keys.
MARKED = re.compile(r'`[^`]+`|\["[^\]]+"\]|\{ [^}]+ \}|\b[a-z_]+ = "[^"]*"|"[^"]*"|'
                    r"\b[a-z]+(?:[._][a-z]+)+\b|\b(?:true|false)\b")


def explain(program, *words):
    return subprocess.run([program, "explain", *words], capture_output=True, text=True, check=True).stdout


def keys_of(program):
    """Every key, in the order of `tunnel explain`."""
    words = [line.split()[0] for line in explain(program).splitlines() if line.startswith("  ")]
    return list(dict.fromkeys(words))


def paragraphs_of(program, key):
    """[(type, default or "", help)]: a name may be a key of the file and of its services."""
    found = []
    for part in re.split(rf"^{re.escape(key)}: ", explain(program, key), flags=re.MULTILINE)[1:]:
        kind, rest = part.split("\n", 1)
        default = re.match(r"default: (.*)\n", rest)
        if default is None and not rest.startswith("\n") or re.match(r"an? \w+ of the log", kind):
            continue  # a word of the log that has the same name
        text = rest[default.end() if default else 0:].split("\n\n")[0]
        found.append((kind, default[1] if default else "", " ".join(text.split())))
    return found


def literal(text):
    """An argument of a macro."""
    text = text.replace("\\", "\\e").replace('"', "\\(dq")
    return f'"{text}"' if " " in text else text


def macro(word, group, keys):
    """What stands out, as a macro with its argument."""
    bare = word.strip("`")
    for key in (f"{group}.{bare}", bare):
        if key in keys and not word.startswith('"'):
            return f".Ic {key}"
    return f".Li {literal(bare)}"


def is_marked(match, text, group, keys):
    """Whether a match of MARKED stands out: a bare name does when it is a key, and no part of a path."""
    if not re.match(r"[a-z]", match[0]) or match[0] in ("true", "false") or "=" in match[0]:
        return True
    around = text[match.start() - 1:match.start()] + text[match.end():match.end() + 1]
    return (match[0] in keys or f"{group}.{match[0]}" in keys) and "/" not in around


def lines_of(sentence, group, keys):
    """One sentence as mdoc, a macro a line."""
    lines = []
    plain = ""
    position = 0

    def flush():
        nonlocal plain
        text = plain.replace("\\", "\\e").strip()
        if text:
            wrapped = textwrap.wrap(text, 100, break_on_hyphens=False, break_long_words=False)
            lines.extend("\\&" + line if line[0] in ".'" else line for line in wrapped)
        plain = ""

    for match in MARKED.finditer(sentence):
        if match.start() < position or not is_marked(match, sentence, group, keys):
            continue
        plain += sentence[position:match.start()]
        before = re.search(r"[(\[]$", plain)
        if before:
            plain = plain[:-1]
        flush()
        line = macro(match[0], group, keys)
        if before:
            name, argument = line.split(" ", 1)
            line = f"{name} {before[0]} {argument}"
        after = re.match(r"\S*", sentence[match.end():])[0]
        position = match.end() + len(after)
        if re.fullmatch(r"[.,:;)\]?!]+", after):
            line += " " + " ".join(after)
        elif after:
            line += " Ns " + after
        lines.append(line)
    plain += sentence[position:]
    flush()
    return lines


def entry(paragraph, key, keys):
    """The lines of a key's entry that are made from its explanation."""
    kind, default, text = paragraph
    group = key.split(".")[0] if "." in key else ""
    head = kind if kind.startswith("true") else kind[0].upper() + kind[1:]
    head += f"; default {default}." if default else "."
    if default and re.fullmatch(r"\d+", default):
        head = head.replace(f"default {default}.", f"default `{default}`.")
    return [line for sentence in [head, *SENTENCE.split(text)]
            for line in lines_of(sentence, group, keys)]


def page_with_entries(program, page):
    keys = keys_of(program)
    known = set(keys)
    used = {}
    result = []
    is_made = False  # these lines are to be replaced
    for line in page.splitlines():
        found = ENTRY.match(line)
        if found and found[1] in known:
            paragraphs = paragraphs_of(program, found[1])
            count = used[found[1]] = used.get(found[1], 0) + 1
            result.append(line)
            result += entry(paragraphs[min(count, len(paragraphs)) - 1], found[1], known)
            is_made = True
            continue
        if line == BY_HAND or found or re.match(r"\.(El|Sh|Ss)\b", line):
            is_made = False
        if not is_made:
            result.append(line)
    return "\n".join(result) + "\n"


def main():
    PAGE.write_text(page_with_entries(sys.argv[1], PAGE.read_text()))


if __name__ == "__main__":
    main()
