# SPDX-License-Identifier: MIT
"""Waiting for things: generous deadlines, never sleeps for luck."""

import os
import time

SANITIZED = os.environ.get("TUNNEL_SANITIZED") == "1"

# The machine may be slow, shared, and the build instrumented. A deadline is only ever reached by a
# test that fails, so it costs nothing to be generous.
PATIENCE = 40.0 * (3 if SANITIZED else 1)


def eventually(predicate, what, timeout=PATIENCE, interval=0.02):
    """Polls until predicate() is true and returns its value; for what offers no event to wait on."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            what = what() if callable(what) else what
            raise AssertionError(f"never happened within {timeout:.0f} s: {what}")
        time.sleep(interval)
