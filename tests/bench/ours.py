# SPDX-License-Identifier: MIT
"""What is measured of our program alone: the system's trust store, checking many services, two
workers."""

import os
import resource
import signal
import subprocess
import time

import peers
from tree import Refused
from watchers import Watchers
from workloads import GIB, connections_by_worker


def system_trust(folder, server, cpu):
    """CPU until every listener is there, and the memory then, with a service that trusts the
    system's authorities."""
    tunnel = peers.SystemTrustTunnel(folder, server, cpu).start()
    try:
        return {"ready_cpu_ms": tunnel.tree.cpu_seconds() * 1e3,
                "start_mib": tunnel.tree.settled_memory() / (1 << 20)}
    finally:
        tunnel.stop()


def check(folder, program, count):
    text = ""
    for i in range(count):
        text += (f'[service{i}]\naccept = "127.0.0.1:{10000 + i}"\n'
                 f'connect = ["server{i}a.example.com:636", "server{i}b.example.com:636"]\n'
                 f'health = {{ check = "tls" }}\n')
    file = folder / "many.toml"
    file.write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "check", str(file)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"check_cpu_s": spent, "check_services": count}


def bare_writes(mib):
    block = os.urandom(1 << 18)
    before = time.process_time()
    with peers.memory_folder() as folder:
        with open(f"{folder}/x", "wb", buffering=0) as file:
            for i in range(mib * 4):
                if i % 512 == 0:  # a file of 128 MiB
                    file.truncate(0)
                    file.seek(0)
                file.write(block)
    return (time.process_time() - before) * 1024 / mib


def capture(folder, server, work, cpu):
    """What a byte costs without and with a capture of the plaintext, and what it costs to write
    one to the same place, and to take it away again, without anything else."""
    figures = {"write_cpu_s_per_gib": bare_writes(work.sizes.stream_mib)}
    for kind, name in ((peers.Tunnel, "off"), (peers.CapturedTunnel, "on")):
        tunnel = kind(folder, server, cpu).start()
        try:
            streams = work.streams(tunnel)
        finally:
            tunnel.stop()
        for way in ("down", "up"):
            figures[f"{name}_{way}_cpu_s_per_gib"] = streams[f"{way}_cpu_s_per_gib"]
    return figures


def watched(folder, server, work, cpu):
    """The time of a round trip, with nobody at the status address and with many there."""
    tunnel = peers.WatchedTunnel(folder, server, cpu).start()
    try:
        figures = {f"alone_{key}": value for key, value in work.round_trips(tunnel, 5).items()}
        watchers = Watchers(tunnel.status)
        try:
            figures |= {f"watched_{key}": value
                        for key, value in work.round_trips(tunnel, 5).items()}
        finally:
            watchers.stop()
        if watchers.error:
            raise Refused(f"somebody was not answered at the status address: {watchers.error}")
    finally:
        tunnel.stop()
    return figures


def workers(folder, server, work, count):
    """One worker and two, on all CPUs: what a request and a byte cost, and who gets connections."""
    figures = {}
    for kind, name in ((peers.Tunnel, "one"), (peers.TwoWorkerTunnel, "two")):
        tunnel = kind(folder, server, None).start()
        try:
            figures[f"{name}_request_cpu_us"] = work.requests(tunnel)["request_cpu_us"]
            streams = work.streams(tunnel)
            for way in ("down", "up"):
                figures[f"{name}_{way}_cpu_s_per_gib"] = streams[f"{way}_cpu_s_per_gib"]
            if name == "two":
                with work._load("request", tunnel.ports["full"], 1, count):
                    split = connections_by_worker(tunnel.tree.process.pid)[-2:]
                figures["smaller_share"] = split[0] / sum(split)
        finally:
            tunnel.stop()
    return figures
