#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a reload costs, and what an open connection notices of it.

reload.py --build BUILD [--services N] [--rounds N]

Two files of N services each are taken over in turns, and so is one that has not changed. Prints the
CPU time of the process for each reload, and the longest turn of a ping-pong over one of its
connections while reloads go on, beside the longest without any. Figures, not a verdict: other
programs of the machine are in them.
"""

import argparse
import json
import os
import pathlib
import select
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Tunnel:
    def __init__(self, program, folder, services):
        self.folder, self.services = folder, services
        self.path, self.socket = folder / "tunnel.toml", str(folder / "control")
        self.server = socket.create_server(("127.0.0.1", 0))
        self.write(0)
        self.process = subprocess.Popen([program, str(self.path)], stderr=subprocess.PIPE, text=True)
        self.address = None
        for line in self.process.stderr:
            event = json.loads(line)
            if event["event"] == "listening" and event["service"] == "s0":
                host, port = event["address"].rsplit(":", 1)
                self.address = (host, int(port))
            if event["event"] == "ready":
                break
        threading.Thread(target=lambda: any(False for _ in self.process.stderr), daemon=True).start()

    def write(self, variant):
        """Every service differs between the variants, in what new connections get."""
        target = "127.0.0.1:%d" % self.server.getsockname()[1]
        lines = ["foreground = true", 'log_format = "json"', f'control = "{self.socket}"',
                 "workers = 2"]
        for number in range(self.services):
            lines += [f"[s{number}]", 'accept = "127.0.0.1:0"', f'connect = "{target}"',
                      "tls = false", f'timeouts = {{ idle = "{60 + variant}m" }}']
        new = self.folder / "new"
        new.write_text("\n".join(lines) + "\n")
        new.rename(self.path)

    def reload(self):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.socket)
            control.sendall(b'{"v":1,"command":"reload"}\n')
            answer = control.makefile().readline()
        assert json.loads(answer)["ok"], answer

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class PingPong:
    """A byte to and fro, again and again, and how long the longest turn took."""

    def __init__(self, tunnel):
        self.near = socket.create_connection(tunnel.address)
        self.far = tunnel.server.accept()[0]
        for end in (self.near, self.far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.turns, self.worst = 0, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            begin = time.perf_counter()
            for source, sink in ((self.near, self.far), (self.far, self.near)):
                source.send(b"x")
                select.select([sink], [], [])
                sink.recv(1)
            self.worst = max(self.worst, time.perf_counter() - begin)
            self.turns += 1

    def stop(self):
        self._stop.set()
        self._thread.join()
        self.near.close()
        self.far.close()
        return self.worst


def measure(tunnel, rounds, variants):
    """CPU seconds of each reload, and the longest turn meanwhile."""
    ping_pong, costs = PingPong(tunnel), []
    for number in range(rounds):
        tunnel.write(variants[number % len(variants)])
        before = tunnel.cpu()
        tunnel.reload()
        costs.append(tunnel.cpu() - before)
    return statistics.median(costs), ping_pong.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tunnel = Tunnel(args.build / "src/cli/tunnel", pathlib.Path(folder), args.services)
        try:
            ping_pong = PingPong(tunnel)
            time.sleep(2)
            print(f"longest turn of {ping_pong.turns} without a reload: "
                  f"{ping_pong.stop() * 1000:.2f} ms")
            for name, variants in (("every service changed", (1, 2)), ("nothing changed", (2, 2))):
                cost, worst = measure(tunnel, args.rounds, variants)
                print(f"{args.services} services, {name}: {cost:.3f} CPU s a reload; longest turn of "
                      f"an open connection {worst * 1000:.2f} ms")
        finally:
            tunnel.stop()


if __name__ == "__main__":
    main()
