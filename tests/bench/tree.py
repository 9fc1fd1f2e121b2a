# SPDX-License-Identifier: MIT
"""A process with its children, and what they cost."""

import signal
import subprocess
import time


class Refused(Exception):
    """The run cannot be reported."""


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


class Tree:
    def __init__(self, args, cpu=None, log=None, **options):
        if cpu is not None:
            args = ["taskset", "-c", str(cpu), *args]
        self.args, self.log = args, log
        self._file = open(log, "wb") if log else None
        self.process = subprocess.Popen(args, stdout=options.pop("stdout", self._file),
                                        stderr=self._file, **options)

    def pids(self):
        found = [self.process.pid]
        for pid in found:
            found += _children(pid)
        return found

    def must_live(self):
        if self.process.poll() is not None:
            told = open(self.log, encoding="utf-8").read()[-2000:] if self.log else ""
            raise Refused(f"{self.args} ended with {self.process.returncode}\n{told}")

    def cpu_seconds(self):
        """User and system time of all threads, those that have ended too. The clock of another
        process (clock_getcpuclockid(3)) counts nanoseconds where /proc/PID/stat counts ticks."""
        self.must_live()
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids())

    def memory(self):
        """Proportional set size: pages that are shared count in parts."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total * 1024

    def settled_memory(self):
        """The memory when it has not changed for a while: buffers of what has ended are freed."""
        seen, since = self.memory(), time.monotonic()
        while time.monotonic() - since < 0.5:
            time.sleep(0.1)
            now = self.memory()
            if abs(now - seen) > 16 * 1024:
                seen, since = now, time.monotonic()
        return seen

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                for pid in reversed(self.pids()):
                    subprocess.run(["kill", "-9", str(pid)], check=False)
                self.process.wait()
        if self._file:
            self._file.close()
