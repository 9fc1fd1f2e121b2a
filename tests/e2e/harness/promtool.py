# SPDX-License-Identifier: MIT
"""What Prometheus's own checker says of metrics."""

import subprocess


def complaints(exposition):
    done = subprocess.run(["promtool", "check", "metrics"], input=exposition, text=True,
                          capture_output=True)
    return done.stdout + done.stderr + (f"exit {done.returncode}" if done.returncode else "")
