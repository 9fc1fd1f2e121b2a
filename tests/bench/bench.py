#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the program with stunnel, HAProxy and nginx, all in one run, in turns.

bench.py --build BUILD [--rounds N] [--quick | --size FACTOR] [--json FILE [--add]]
         [--only WORKLOAD,...] [--peers NAME,...]

Prints a table and writes all figures, of every round, to bench.json. Ends with status 1, and writes
nothing, when a transfer failed. CPU time is what is compared: it is the program's own, with all its
processes and threads, in user and kernel space; rates depend on who else uses the machine.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import distance  # noqa: E402
import ours  # noqa: E402
import peers  # noqa: E402
import table  # noqa: E402
from server import Server  # noqa: E402
from tree import Refused  # noqa: E402
from workloads import Sizes, Workloads  # noqa: E402

WORKLOADS = ("streams", "handshakes", "requests", "latency", "many", "memory", "ours", "distance")
PEERS = (peers.Tunnel, peers.Stunnel, peers.Haproxy, peers.Nginx, peers.PlainTunnel)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one small round: does it still work?")
    parser.add_argument("--size", type=float, default=1, help="of streams and counts of requests")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--add", action="store_true",
                        help="keep what FILE has of other workloads of the same build")
    parser.add_argument("--only", type=lambda text: text.split(","), default=WORKLOADS)
    parser.add_argument("--peers", type=lambda text: text.split(","))
    return parser.parse_args()


def versions(program):
    def first_line(*args):
        done = subprocess.run(args, check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return (done.stdout.strip().splitlines() or [""])[0]
    found = {"tunnel": subprocess.run([program, "--version"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.split("\n")}
    found["tunnel"] = ", ".join(line.strip() for line in found["tunnel"] if line.strip())
    found["HAProxy"] = first_line("haproxy", "-v")
    found["nginx"] = first_line("nginx", "-v")
    found["stunnel"] = first_line("dpkg-query", "-W", "-f", "${Version}", "stunnel4")
    found["system"] = platform.freedesktop_os_release()["PRETTY_NAME"]
    found["kernel"] = platform.release().split("-")[0]
    return found


def is_release(build):
    done = subprocess.run(["meson", "introspect", "--buildoptions", str(build)], check=True,
                          stdout=subprocess.PIPE)
    return any(option["name"] == "buildtype" and option["value"] == "release"
               for option in json.loads(done.stdout))


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu, self.load_cpu = cpus[0], cpus[-1]
        self.sizes = Sizes.quick() if args.quick else Sizes().scaled(args.size)
        self.rounds = 1 if args.quick else args.rounds
        peers.Tunnel.program = str(args.build / "src/cli/tunnel")
        self.load = str(args.build / "tests/bench/load")
        self.aead = str(args.build / "tests/bench/aead")
        self.kinds = [kind for kind in PEERS if not args.peers or kind.name in args.peers]
        self.figures = {}  # program, then figure: one value a round

    def note(self, name, figures):
        for figure, value in figures.items():
            self.figures.setdefault(name, {}).setdefault(figure, []).append(value)

    def fresh(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def run(self):
        with contextlib.ExitStack() as stack:
            server = Server(self.folder, self.load, self.load_cpu).start()
            stack.callback(server.stop)
            work = Workloads(self.load, self.aead, server, self.sizes, self.load_cpu)
            if "memory" in self.args.only:
                self._memory(server, work)
            running = []
            for kind in self.kinds:
                running.append(kind(self.folder, server, self.cpu).start())
                stack.callback(running[-1].stop)
            for round_number in range(1, self.rounds + 1):
                say(f"round {round_number} of {self.rounds}")
                if "streams" in self.args.only:
                    self.note("aead", work.bare_aead())
                for workload in self.args.only:
                    if workload in ("memory", "ours", "distance"):
                        continue
                    # Whoever is first finds the machine cold: not always the same.
                    first = round_number % len(running)
                    for peer in running[first:] + running[:first]:
                        if workload == "many" and not peer.holds_many:
                            continue
                        say(f"  {workload}: {peer.name}")
                        self.note(peer.name, getattr(work, workload)(peer))
            if "ours" in self.args.only:
                self._ours(server, work)
        if "distance" in self.args.only:
            self._distance()

    def _distance(self):
        say("distance")
        kinds = [*(kind for kind in self.kinds if not kind.is_limit), peers.PreconnectedTunnel]
        found, why = distance.first_bytes(self.fresh("distance"), kinds, self.sizes.first_bytes)
        if why:
            say(f"  left out: {why}")
        for name, seconds in found.items():
            self.note(name, {"first_byte_ms": seconds * 1e3})

    def _memory(self, server, work):
        for round_number in range(self.rounds):
            for kind in self.kinds:
                say(f"memory, round {round_number + 1}: {kind.name}")
                peer = kind(self.fresh("memory"), server, self.cpu).start()
                try:
                    self.note(peer.name, work.memory(peer))
                finally:
                    peer.stop()

    def _ours(self, server, work):
        for round_number in range(self.rounds):
            say(f"our own figures, round {round_number + 1}")
            folder = self.fresh("ours")
            self.note("system-trust", ours.system_trust(folder, server, self.cpu))
            self.note("check", ours.check(folder, peers.Tunnel.program, self.sizes.services))
            self.note("workers", ours.workers(folder, server, work, self.sizes.idle))
            self.note("watched", ours.watched(self.fresh("ours"), server, work, self.cpu))
            self.note("capture", ours.capture(self.fresh("ours"), server, work, self.cpu))


def main():
    args = arguments()
    args.build = args.build.resolve()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = Run(args, pathlib.Path(folder))
        try:
            run.run()
        except Refused as why:
            say(f"no figures, for this run is not to be trusted: {why}")
            return 1
    result = {
        "versions": versions(peers.Tunnel.program),
        "is_release_build": is_release(args.build),
        "is_quick": args.quick,
        "rounds": run.rounds,
        "sizes": vars(run.sizes),
        "figures": run.figures,
    }
    if args.json and args.add and args.json.exists():
        earlier = json.loads(args.json.read_text())
        if earlier["versions"] != result["versions"]:
            say(f"{args.json} has figures of other versions")
            return 1
        for name, figures in earlier["figures"].items():
            run.figures[name] = figures | run.figures.get(name, {})
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table.for_people(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
