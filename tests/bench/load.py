# SPDX-License-Identifier: MIT
"""The load's clients, from here."""

import json
import subprocess

from tree import Refused


class Load:
    """One run of `load`: ready when it is constructed, then run(), then the end."""

    def __init__(self, program, cpu, kind, port, count, connections=1, in_flight=None):
        args = ["taskset", "-c", str(cpu), program, kind, str(port), str(count), str(connections),
                str(in_flight or connections)]
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        try:
            self._read("ready")
        except BaseException:
            self.end()
            raise

    def _read(self, what):
        line = self.process.stdout.readline()
        if not line:
            raise Refused(f"a transfer failed: {self.process.stderr.read().strip() or what}")
        return line

    def run(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self._read("result"))

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
