# SPDX-License-Identifier: MIT
"""What is measured of each program. Each workload gives numbers by name; a wrong byte, a missing
connection or a handshake of the wrong kind refuses the whole run."""

import dataclasses
import json
import os
import subprocess
import time

from load import Load
from tree import Refused

GIB = 1 << 30


@dataclasses.dataclass
class Sizes:
    stream_mib: int = 512
    streams: int = 2
    handshakes: int = 1500
    requests: int = 60000
    latencies: int = 3000
    idle: int = 2000
    many: int = 8000
    services: int = 1000
    aead_mib: int = 512
    first_bytes: int = 9

    def scaled(self, factor):
        scaled = {name: max(1, round(getattr(self, name) * factor))
                  for name in ("stream_mib", "handshakes", "requests", "latencies", "aead_mib")}
        return dataclasses.replace(self, **scaled)

    @classmethod
    def quick(cls):
        return cls(8, 2, 20, 300, 50, 50, 200, 50, 8, 1)


class Workloads:
    def __init__(self, load, aead, server, sizes, cpu):
        self.load, self.aead, self.server, self.sizes, self.cpu = load, aead, server, sizes, cpu

    def _load(self, kind, port, *numbers):
        return Load(self.load, self.cpu, kind, port, *numbers)

    def _cost(self, peer, load):
        before = peer.tree.cpu_seconds()
        result = load.run()
        # What is still under way belongs to it: the end of the last connections.
        time.sleep(0.02)
        return peer.tree.cpu_seconds() - before, result

    def streams(self, peer):
        sizes, figures = self.sizes, {}
        for way in ("down", "up"):
            size = sizes.stream_mib * (1 << 20) // sizes.streams
            with self._load(way, peer.ports["full"], size, sizes.streams) as load:
                cpu, result = self._cost(peer, load)
            if result["bytes"] != size * sizes.streams:
                raise Refused(f"{peer.name}: {result['bytes']} bytes instead of {size}")
            figures[f"{way}_cpu_s_per_gib"] = cpu * GIB / result["bytes"]
            figures[f"{way}_mib_per_s"] = result["bytes"] / (1 << 20) / result["seconds"]
        return figures

    def handshakes(self, peer):
        count, figures = self.sizes.handshakes, {}
        for kind in ("full", "resumed"):
            if kind == "resumed":  # the first ones have nothing to resume
                with self._load("connect", peer.ports[kind], 20, 1) as load:
                    load.run()
            self.server.forget_handshakes()
            with self._load("connect", peer.ports[kind], count, 8) as load:
                cpu, result = self._cost(peer, load)
            figures[f"{kind}_cpu_us"] = cpu * 1e6 / count
            figures[f"{kind}_per_s"] = count / result["seconds"]
            if peer.is_limit:
                continue
            resumed = self.server.handshakes(kind, count)
            if kind == "full" and resumed:
                raise Refused(f"{peer.name}: {resumed} handshakes were resumed that should not be")
            figures[f"{kind}_share_resumed"] = resumed / count
        return figures

    def requests(self, peer):
        with self._load("request", peer.ports["full"], self.sizes.requests, 64) as load:
            cpu, result = self._cost(peer, load)
        return {"request_cpu_us": cpu * 1e6 / result["requests"]}

    def latency(self, peer):
        """Beyond a direct connection to the same server, asked at the same time."""
        through = self.round_trips(peer)
        with self._load("latency", self.server.ports["plain"], self.sizes.latencies) as load:
            direct = load.run()
        return {f"added_{key}": through[key] - direct[key] for key in ("p50_us", "p99_us")}

    def round_trips(self, peer, times=1):
        with self._load("latency", peer.ports["full"], times * self.sizes.latencies) as load:
            return load.run()

    def memory(self, peer):
        """Of a process that has done nothing yet: peers keep what they once had. But for one
        connection, which pays for what all share: code, tables, scratch buffers."""
        start = peer.tree.settled_memory()
        with self._load("request", peer.ports["full"], 1, 1) as load:
            load.run()
        before = peer.tree.settled_memory()
        with self._load("request", peer.ports["full"], 1, self.sizes.idle):
            full = peer.tree.settled_memory()
        return {"start_mib": start / (1 << 20),
                "idle_kib_per_connection": (full - before) / 1024 / self.sizes.idle}

    def many(self, peer):
        """Requests on 100 connections and on very many, 64 on their way in both."""
        figures = {}
        for name, count in (("few", min(100, self.sizes.many)), ("many", self.sizes.many)):
            with self._load("request", peer.ports["full"], self.sizes.requests, count, 64) as load:
                cpu, result = self._cost(peer, load)
            figures[f"{name}_request_cpu_us"] = cpu * 1e6 / result["requests"]
        return figures

    def bare_aead(self):
        found = json.loads(subprocess.run(["taskset", "-c", str(self.cpu), self.aead,
                                           str(self.sizes.aead_mib)], check=True,
                                          stdout=subprocess.PIPE).stdout)
        return {f"{way}_cpu_s_per_gib": found[way] for way in ("down", "up")}


def connections_by_worker(pid):
    """How many sockets each event loop of a process watches, fewest first."""
    counts = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{number}") != "anon_inode:[eventpoll]":
                continue
            with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as file:
                counts.append(sum(1 for line in file if line.startswith("tfd:")))
        except FileNotFoundError:
            continue
    return sorted(counts)
