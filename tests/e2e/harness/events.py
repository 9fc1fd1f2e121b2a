# SPDX-License-Identifier: MIT
"""The tunnel's JSON log as a list that tests wait on."""

import json
import threading

from .wait import PATIENCE


class EventLog:
    def __init__(self):
        self.events, self.other_lines = [], []
        self._changed = threading.Condition()
        self._ended = False

    def feed(self, line):
        line = line.rstrip("\n")
        if not line:
            return
        with self._changed:
            try:
                event = json.loads(line)
                if not isinstance(event, dict):
                    raise ValueError
                self.events.append(event)
            except ValueError:
                self.other_lines.append(line)
            self._changed.notify_all()

    def end(self):
        """No more lines will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def read_from(self, stream):
        """Feeds every line of the stream, in a thread of its own."""

        def run():
            for line in stream:
                self.feed(line)
            self.end()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    @staticmethod
    def _matches(event, fields):
        for key, wanted in fields.items():
            if key not in event:
                return False
            if not (wanted(event[key]) if callable(wanted) else event[key] == wanted):
                return False
        return True

    def find(self, event=None, **fields):
        if event:
            fields["event"] = event
        with self._changed:
            return [e for e in self.events if self._matches(e, fields)]

    def wait_for(self, event=None, count=1, timeout=PATIENCE, **fields):
        """The count-th event of that kind whose fields are as given (values, or predicates)."""
        if event:
            fields["event"] = event

        def found():
            hits = [e for e in self.events if self._matches(e, fields)]
            return hits if len(hits) >= count else None

        with self._changed:
            hits = self._changed.wait_for(lambda: found() or self._ended, timeout)
            hits = found()
            if not hits:
                why = "the log ended" if self._ended else f"{timeout:.0f} s passed"
                raise AssertionError(f"{why} without {count} × {fields}; the log:\n{self.text()}")
            return hits[count - 1]

    def text(self):
        return "\n".join([json.dumps(e) for e in self.events] + self.other_lines)
