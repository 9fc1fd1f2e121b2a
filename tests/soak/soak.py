# SPDX-License-Identifier: MIT
"""See run.sh. soak.py FOLDER SECONDS CONNECTIONS"""

import collections
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

from crowd import Crowd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness import ports  # noqa: E402
from harness.dns import DnsServer  # noqa: E402
from harness.pki import Pki  # noqa: E402
from harness.process import Background  # noqa: E402
from harness.tunnel import BINARY, Tunnel  # noqa: E402

FOLDER, SECONDS, CONNECTIONS = pathlib.Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
PATTERN = os.urandom(1 << 20)
WORK = 100  # connections of 1 MiB each way, for the CPU time of a fixed piece of work
PIECES = 9 if SECONDS >= 600 else 1  # of that work for a figure, which is their median
# So many are busy at a time; the others rest for as long as that takes, in seconds, at most.
BUSY = 100
LONGEST_REST = max(0, 2.5 * (CONNECTIONS / BUSY - 1))
# From one disturbance to the next, in seconds: each kind once a minute, and in a short run more often. A
# target that dies takes a third of the connections with it: where they live longer, it happens less
# often, or few would ever be open.
PAUSE = min(12.0, 2 * (1 + LONGEST_REST / 20))
MOST_GROWTH = {"memory": 1.10, "descriptors": 1.03, "cpu": 1.35}
# What the allocator and the clock waver by. Pages stay where anything that lives on is among what a
# crowd of connections has left: up and down from one measurement to the next, as far as it was large.
ALLOWANCE = {"memory": 4 + CONNECTIONS / 16, "descriptors": 0, "cpu": 0.2}


# It takes TLS off in front of echo.py, and is there again as soon as it is started.
HAPROXY = """
global
  nbthread 1
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen echo
  bind 127.0.0.1:{port} ssl crt {pem}
  server echo {echo}
"""


def kill(background):
    background.process.kill()
    background.process.wait()


class Backend:
    """What all targets lead to."""

    def __init__(self):
        self.socket = FOLDER / "echo.sock"
        self.background = Background(
            [sys.executable, pathlib.Path(__file__).with_name("echo.py"), self.socket], FOLDER, "echo")
        self.background.wait_until(lambda: "ready" in self.background.text(), "listens")

    def kill(self):
        kill(self.background)


class Target:
    """One server, which may be killed and started anew."""

    def __init__(self, pki, backend):
        identity, self.port = pki.leaf(), ports.free_port()
        self.file = FOLDER / f"target-{self.port}.cfg"
        pem = FOLDER / f"target-{self.port}.pem"
        pem.write_bytes(identity.chain_file.read_bytes() + identity.key_file.read_bytes())
        self.file.write_text(HAPROXY.format(port=self.port, pem=pem, echo=backend.socket))
        self.start()

    def start(self):
        self.background = Background(["/usr/sbin/haproxy", "-db", "-f", self.file], FOLDER, "haproxy")
        self.background.wait_until(lambda: ports.is_open("127.0.0.1", self.port), "listens")

    def kill(self):
        kill(self.background)


class Soak:
    def __init__(self):
        self.pki, self.dns = Pki(FOLDER), DnsServer()
        self.backend = Backend()
        self.targets = [Target(self.pki, self.backend) for _ in range(3)]
        self.ca = FOLDER / "trusted.pem"
        self.rotate()
        self.dns.set("server.test", "A", ["127.0.0.1"], ttl=1)
        self.ends, self.wrong = collections.Counter(), []
        self.captures, self.open, self.files = False, [], []
        self.log_level = "info"
        self.tunnel = Tunnel(FOLDER, self.config())
        self.log_level = "warning"  # python could not follow a line for each connection
        self.reload()

    def config(self):
        service = {"accept": "127.0.0.1:0", "balance": random.choice(("round-robin", "random")),
                   "connect": [f"server.test:{t.port}" for t in self.targets],
                   "tls": {"ca": str(self.ca)}, "health": {"eject_time": "1s", "eject_max": "2s"}}
        if self.captures:
            service["capture"] = {"file": str(FOLDER / "soak.pcapng"), "max_size": "1MiB"}
        return {"workers": 2, "log_level": self.log_level, "dns_servers": [self.dns.address],
                "certificate_poll": "1s", "control": str(FOLDER / "control.sock"), "svc": service}

    def rotate(self):
        """The same authority, in a file that is new; sometimes with one more."""
        more = self.pki.stranger.file.read_bytes() if random.random() < 0.5 else b""
        new = self.ca.with_suffix(".new")
        new.write_bytes(self.pki.ca.file.read_bytes() + more)
        new.rename(self.ca)

    # ---- one connection

    def exchange(self, client, size, chunk):
        at = random.randrange(len(PATTERN) - chunk)
        piece, got = PATTERN[at:at + chunk], 0
        for _ in range(max(1, size // chunk)):
            client.send(piece)
            if client.recv_exact(chunk) != piece:
                raise ValueError("wrong bytes")
            got += chunk
        return got

    def live(self, client, kind):
        with client:
            if kind == "idle":
                time.sleep(random.random() * 3)
                self.exchange(client, 10, 10)
            elif kind == "chatty":
                for _ in range(random.randrange(1, 30)):
                    self.exchange(client, 1, random.randrange(1, 4000))
                    time.sleep(random.random() * 0.1)
            elif kind == "bulk":
                self.exchange(client, random.randrange(1, 8) << 20, 1 << 16)
            elif kind == "reset":
                client.send(PATTERN[:random.randrange(1, 100000)])
                return client.reset()
            size = random.randrange(1, 60000)
            client.send(PATTERN[:size])
            client.half_close()
            end = client.read_to_end()
            if not PATTERN.startswith(end.data):
                raise ValueError("wrong bytes")
            # Nothing at all may be a server that was killed after our end: as MySQL's do.
            if end.how == "reset" or not end.data:
                raise ConnectionResetError
            if len(end.data) != size:
                raise ValueError(f"an orderly end after {len(end.data)} of {size} bytes")

    def begin(self):
        try:
            return self.tunnel.connect("svc")
        except OSError:
            self.ends["lost"] += 1
            return None

    def client(self, client):
        kind = random.choice(("idle", "chatty", "chatty", "bulk", "half-close", "reset"))
        try:
            self.live(client, kind)
            self.ends[kind] += 1
        except TimeoutError as error:
            self.wrong.append(f"{kind}: {error!r}")
        except (OSError, AssertionError):  # reset, or ended before we did
            self.ends["lost"] += 1
        except Exception as error:  # wrong bytes; and whatever it is must not end a thread of the crowd
            self.wrong.append(f"{kind}: {error!r}")

    def reload(self):
        self.tunnel.rewrite(self.config())
        done = subprocess.run([BINARY, "reload", self.tunnel.path], capture_output=True, text=True)
        if done.returncode != 0:
            self.wrong.append(f"reload: {done.stdout}{done.stderr}")

    # ---- what happens to it meanwhile

    def disturb(self):
        what = random.choice(("target", "reload", "rotate", "capture", "name"))
        if what == "target":
            target = random.choice(self.targets)
            target.kill()
            time.sleep(random.random() * 2)
            target.start()
        elif what == "rotate":
            self.rotate()
        elif what == "name":
            addresses = random.choice((["127.0.0.1"], ["127.0.0.2", "127.0.0.1"]))
            self.dns.set("server.test", "A", addresses, ttl=1)
        else:
            self.captures ^= what == "capture"
            self.reload()
        self.ends[f"({what})"] += 1

    # ---- figures

    def cpu(self):
        """CPU time of the tunnel's threads so far, in seconds: in nanoseconds where stat has ticks."""
        tasks = pathlib.Path(f"/proc/{self.tunnel.ps.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def expect_alive(self):
        assert self.tunnel.process.poll() is None, \
            f"the tunnel has ended:\n{self.tunnel.log.text()[-2000:]}"

    def piece(self):
        before, done = self.cpu(), 0
        while done < WORK:
            self.expect_alive()
            try:
                with self.tunnel.connect("svc") as client:
                    self.exchange(client, 1 << 20, 1 << 16)
                    done += 1
            except (ConnectionError, AssertionError):
                pass
        return self.cpu() - before

    def measure(self):
        """With no client there: memory, descriptors, and what a fixed piece of work costs."""
        print("measuring", flush=True)
        self.captures = False
        self.reload()
        cpu = statistics.median(self.piece() for _ in range(PIECES))
        time.sleep(4)  # the allocator gives back a while after the last connection
        deadline = time.monotonic() + 15  # the last end of a connection may be on its way
        while self.files and len(self.tunnel.open_files()) > len(self.files[0]) \
                and time.monotonic() < deadline:
            time.sleep(0.2)
        self.files.append(self.tunnel.open_files())
        return {"memory": self.tunnel.ps.memory_info().rss / 2**20,
                "descriptors": len(self.files[-1]),
                "cpu": cpu}

    def load(self, seconds):
        print(f"load for {seconds:.0f} s", flush=True)
        end = time.monotonic() + seconds
        with Crowd(self.begin, self.client, CONNECTIONS, min(CONNECTIONS, 2 * BUSY), LONGEST_REST):
            while time.monotonic() < end:
                pause = PAUSE * random.uniform(0.5, 1.5)
                time.sleep(min(pause, max(0, end - time.monotonic())))
                self.expect_alive()
                self.open.append(self.tunnel.ps.num_fds() // 2)  # one for each side
                self.disturb()

    def run(self):
        self.load(SECONDS / 5)  # caches, stacks and the allocator's pools find their size
        start = self.measure()
        self.load(SECONDS * 2 / 5)
        middle = self.measure()
        self.load(SECONDS * 2 / 5)
        end = self.measure()
        for name, unit in (("memory", "MiB"), ("descriptors", ""), ("cpu", "s")):
            print(f"{name:12} start {start[name]:8.3f}  middle {middle[name]:8.3f}  "
                  f"end {end[name]:8.3f} {unit}")
        print(f"open at a time: median {statistics.median(self.open):.0f}, most {max(self.open)}")
        print("connections ", dict(self.ends))
        bad = [f"{name} grew from {start[name]} to {end[name]}"
               for name, most in MOST_GROWTH.items()
               if end[name] > start[name] * most + ALLOWANCE[name]]
        if end["descriptors"] > start["descriptors"]:
            print("open at the start:", *self.files[0])
            print("open at the end:  ", *self.files[-1])
        if self.wrong:
            bad.append(f"{len(self.wrong)} connections went wrong: {self.wrong[:5]}")
        if self.tunnel.terminate() != 0:
            bad.append(f"it did not stop in order:\n{self.tunnel.log.text()[-2000:]}")
        for problem in bad:
            print("FAILED:", problem)
        print("soak:", "failed" if bad else "passed")
        return 1 if bad else 0

    def stop(self):
        self.tunnel.kill()
        for process in (*self.targets, self.backend):
            process.kill()
        self.dns.stop()


# Else each of the threads that wait for the interpreter wakes up 200 times a second to say so.
sys.setswitchinterval(0.05)
soak = Soak()
try:
    status = soak.run()
finally:
    soak.stop()
sys.exit(status)
