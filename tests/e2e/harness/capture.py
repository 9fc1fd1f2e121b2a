# SPDX-License-Identifier: MIT
"""Captures as tshark reads them, and `tunnel capture`."""

import glob
import os
import signal
import subprocess

from . import tunnel as program
from .process import DIE_WITH_PARENT
from .wait import PATIENCE, eventually

# Wireshark mentions each SYN and FIN, and warns of each RST: what is left is about the rest.
_ODD = ("tcp.analysis.flags or _ws.malformed or "
        "(_ws.expert.severity >= 0x600000 and tcp.flags.reset == 0)")


def tshark(file, *args):
    done = subprocess.run(["tshark", "-n", "-r", str(file), *args], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fields(file, query, *names):
    """A list of values for each packet that the query finds."""
    columns = [word for name in names for word in ("-e", name)]
    out = tshark(file, "-Y", query, "-T", "fields", "-E", "separator=\t", *columns)
    return [line.split("\t") for line in out.splitlines()]


def payload(file, source, port):
    """The octets of a stream that one side sent, put together by their sequence numbers."""
    parts = {int(seq): bytes.fromhex(data)
             for seq, data in fields(file, f"tcp.len > 0 and tcp.{source}port == {port}",
                                     "tcp.seq", "tcp.payload")}
    whole = b""
    for seq in sorted(parts):
        assert seq == len(whole) + 1, "octets are missing"
        whole += parts[seq]
    return whole


def assert_no_remarks(file, but="frame.number == 0"):
    """Wireshark finds nothing odd in it, but what that query finds."""
    odd = f"{_ODD} or tcp.checksum.status == 0 or ip.checksum.status == 0"
    assert tshark(file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
                  "-Y", f"({odd}) and not ({but})") == ""


class Live:
    """`tunnel capture`, which writes to a file until it is stopped; `count`: it is the tunnel's
    count-th capture."""

    def __init__(self, tunnel, folder, *args, count=1):
        self.file = folder / f"live.{os.urandom(3).hex()}.pcapng"
        self.process = subprocess.Popen(
            [*DIE_WITH_PARENT, str(program.BINARY), "capture", str(tunnel.path), *args,
             "-w", str(self.file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **program.sanitizer_environment(folder)}, cwd=folder)
        tunnel.wait_for_event("capture_started", count)
        # Behind its first block it is in force.
        eventually(lambda: self.file.exists() and self.file.stat().st_size > 0, "it has begun")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        assert (self.process.returncode, err) == (0, ""), err
        return self.file


def ring(folder, stem="svc"):
    return sorted(glob.glob(f"{folder}/{stem}_*.pcapng"))
