# SPDX-License-Identifier: MIT
"""Every system call fails once while the program starts, and while it stops: it goes on, or ends with
the status and a sentence that say so; it never hangs, and is never ended by a signal."""

import os

import pytest
from harness.faults import KINDS, LIBRARY, Faults, show
from harness.server import Server, echo
from harness.tunnel import Tunnel
from harness.wait import eventually

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built")

SOME = int(os.environ.get("FAULTS_EVERY", 0))
RUNS_PER_KIND = 6  # unless all are asked for

# Not pipes: libuv aborts without the one that it makes first, for signals.
AT_THE_START = ("socket", "bind", "listen", "open", "fopen", "stat", "read_file", "write_file",
                "fcntl", "setsockopt", "getsockname", "rename", "unlink", "thread",
                "epoll_create", "eventfd")
AT_THE_END = ("close", "write_wake", "read_wake", "unlink", "epoll_wait", "shutdown", "write_file",
              "fcntl", "log")


class World:
    def __init__(self, folder):
        self.folder, self.server, self.faults = folder, Server(echo), Faults(folder)
        self.log_file = {"log_file": "tunnel.log"}

    def start(self):
        """Without waiting for it. The library is for the program alone, not for what starts it."""
        config = {"workers": 2, "pid_file": "tunnel.pid", "control": "control.sock",
                  "status": "127.0.0.1:0", "log_format": "json", **self.log_file,
                  "svc": {"accept": ["127.0.0.1:0", "./in.sock"], "tls": False,
                          "capture": {"file": "capture.pcapng"}, "connect": self.server.address}}
        (self.folder / "tunnel.log").unlink(missing_ok=True)
        return Tunnel(self.folder, config, wait_ready=False,
                      prefix=("env", *(f"{k}={v}" for k, v in self.faults.environment.items())))

    def log(self):
        file = self.folder / "tunnel.log"
        return file.read_text() if file.exists() else ""

    def has_started(self, tunnel):
        """False when it has ended instead."""
        eventually(lambda: tunnel.process.poll() is not None or '"ready"' in self.log()
                   or tunnel.log.find("ready"),
                   lambda: f"it starts or ends:\n{tunnel.log.text()}{self.log()}")
        return tunnel.process.poll() is None

    def stop(self):
        self.server.stop()


@pytest.fixture
def world(tmp_path, keep):
    return keep(World(tmp_path))


def injections(kind, count):
    pairs = [(n, error) for n in range(1, count + 1) for error in KINDS[kind]]
    return pairs[::SOME or max(1, len(pairs) // RUNS_PER_KIND)]


def counted(world, kind, phase):
    """How many calls of that kind it takes to start, or to stop after that."""
    before = world.faults.counts()
    tunnel = world.start()
    assert world.has_started(tunnel), tunnel.log.text() + world.log()
    started = world.faults.counts()
    assert tunnel.terminate() == 0, world.log()
    stopped = world.faults.counts()
    return started[kind] - before[kind] if phase == "start" else stopped[kind] - started[kind]


@pytest.mark.parametrize("kind", AT_THE_START)
def test_call_fails_while_it_starts(world, kind, record_property):
    if kind == "write_file":
        world.log_file = {}  # a line that cannot be written is lost, and it may be the one that we wait for
    count = counted(world, kind, "start")
    for nth, error in injections(kind, count):
        what = f"{kind} {nth} of {count}: {show(error)}"
        world.faults.arm(kind, nth, error)
        tunnel = world.start()
        try:
            has_started = world.has_started(tunnel)
            world.faults.disarm()
            status = tunnel.terminate() if has_started else tunnel.wait_for_exit()
        finally:
            tunnel.kill()
        said = tunnel.log.text() + world.log()
        assert status in ((0, 1) if has_started else (1, 2)), f"{what}: status {status}\n{said}"
        assert said.strip(), f"{what}: it says nothing"
    record_property("calls", count)


@pytest.mark.parametrize("kind", AT_THE_END)
def test_call_fails_while_it_stops(world, kind, record_property):
    count = counted(world, kind, "stop")
    for nth, error in injections(kind, count):
        what = f"{kind} {nth} of {count}: {show(error)}"
        tunnel = world.start()
        try:
            assert world.has_started(tunnel), f"{what}: it does not start\n{world.log()}"
            world.faults.arm(kind, nth, error)
            status = tunnel.terminate()
            world.faults.disarm()
        finally:
            tunnel.kill()
        assert status in (0, 1), f"{what}: status {status}\n{tunnel.log.text()}{world.log()}"
    record_property("calls", count)
