# SPDX-License-Identifier: MIT
"""Reads what /metrics says."""

import re
from collections import defaultdict

from . import web

SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    def __init__(self, text):
        self.text = text
        self.samples = defaultdict(dict)
        for line in text.splitlines():
            if match := SAMPLE.match(line):
                name, labels, value = match.groups()
                key = frozenset(LABEL.findall(labels or ""))
                assert key not in self.samples[name], f"twice: {line}"
                self.samples[name][key] = float(value)

    def value(self, name, **labels):
        return self.samples[name].get(frozenset(labels.items()))


def scrape(address, **headers):
    answer = web.get(address, "/metrics", **headers)
    assert answer.status == 200
    return Metrics(answer.body)
