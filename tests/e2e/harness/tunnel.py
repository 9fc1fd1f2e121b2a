# SPDX-License-Identifier: MIT
"""The program under test: writes its configuration, starts it, follows its log, stops it."""

import functools
import os
import pathlib
import re
import signal
import subprocess

import psutil

from . import sandbox, toml
from .events import EventLog
from .peer import Peer
from .process import DIE_WITH_PARENT
from .wait import PATIENCE, eventually

_ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("TUNNEL") or _ROOT / "build/src/cli/tunnel").resolve()

_REPORT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


def sanitizer_environment(folder):
    """Reports go to files, for a daemon has no standard error."""
    env = {}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        options = [os.environ.get(name, ""), f"log_path={folder}/sanitizer"]
        env[name] = ":".join(o for o in options if o)
    env["UBSAN_OPTIONS"] += ":print_stacktrace=1"
    return env


def assert_no_sanitizer_report(folder, text=""):
    texts = [text] + [p.read_text(errors="replace") for p in folder.glob("sanitizer.*")]
    for t in texts:
        assert not _REPORT.search(t), f"a sanitizer reports:\n{t}"


@functools.cache
def gnutls_version():
    """(major, minor) of the library that the program runs with."""
    shown = subprocess.run([BINARY, "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in re.search(r"GnuTLS (\d+)\.(\d+)", shown).groups())


def run(folder, *args, config=None, timeout=PATIENCE, env=None, binary=BINARY):
    """Runs the program to its end; config (a dict or text) is written and passed last."""
    argv = [*DIE_WITH_PARENT, str(binary), *map(str, args)]
    if config is not None:
        argv.append(str(write_config(folder, config)))
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=timeout,
                          stdin=subprocess.DEVNULL, cwd=folder,
                          env={**os.environ, **sanitizer_environment(folder), **(env or {})})
    assert_no_sanitizer_report(folder, done.stderr)
    return done


def write_config(folder, config, name="tunnel.toml"):
    path = folder / name
    if isinstance(config, bytes):
        path.write_bytes(config)
    else:
        path.write_text(config if isinstance(config, str)
                        else toml.dumps({**sandbox.DEFAULT, **config}))
    return path


class Tunnel:
    """A tunnel in the foreground, its JSON log on standard error. Use the fixture, which stops it."""

    def __init__(self, folder, config, prefix=(), env=None, args=(), wait_ready=True,
                 pass_fds=()):
        self.folder = folder
        self._name = f"tunnel.{os.urandom(3).hex()}.toml"
        self.path = path = self.rewrite(config)
        self.log = EventLog()
        self.process = subprocess.Popen(
            [*DIE_WITH_PARENT, *map(str, prefix), str(BINARY), *map(str, args), str(path)],
            cwd=folder, pass_fds=pass_fds,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace",
            env={**os.environ, **sanitizer_environment(folder), **(env or {})})
        self._reader = self.log.read_from(self.process.stderr)
        if wait_ready:
            try:
                self.log.wait_for("ready")
            except BaseException:
                self.kill()
                raise

    def rewrite(self, config):
        """Writes the configuration, at once for whoever reads it."""
        if isinstance(config, dict):
            config = {"foreground": True, "log_format": "json", **config}
        new = write_config(self.folder, config, self._name + ".new")
        return new.rename(self.folder / self._name)

    def reload(self, config=None):
        """SIGHUP, and the line that says how it went."""
        if config is not None:
            self.rewrite(config)
        lines = len(self.log.find("reloaded")) + len(self.log.find("reload_failed"))
        self.signal(signal.SIGHUP)
        eventually(lambda: len(self.log.find("reloaded")) + len(self.log.find("reload_failed"))
                   > lines, "a reload was logged")
        return max(self.log.find("reloaded") + self.log.find("reload_failed"),
                   key=lambda event: event["ts"])

    @property
    def pid(self):
        return self.process.pid

    @property
    def ps(self):
        return psutil.Process(self.pid)

    def open_files(self):
        """But for /dev/null, which libuv keeps in reserve, one a loop, from its first stream on."""
        folder, names = f"/proc/{self.pid}/fd", []
        for fd in os.listdir(folder):
            try:
                names.append(os.readlink(f"{folder}/{fd}"))
            except FileNotFoundError:
                pass  # closed meanwhile
        return sorted(name for name in names if name != "/dev/null")

    def wait_for_event(self, event, count=1, **fields):
        return self.log.wait_for(event, count, **fields)

    def addresses(self, service):
        """Where the service listens, with real ports, in the order of the log."""
        return [e["address"] for e in self.log.find("listening", service=service)]

    def address(self, service):
        return self.log.wait_for("listening", service=service)["address"]

    def connect(self, service, **kwargs):
        return Peer.connect(self.address(service), **kwargs)

    def served(self, service):
        """A client of a service with an echo server, which has answered it."""
        client = self.connect(service)
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
        return client

    def closed(self, count=1, **fields):
        """The count-th `closed` line."""
        return self.log.wait_for("closed", count, **fields)

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_exit(self, timeout=PATIENCE):
        """The exit status; the whole log has been read when this returns."""
        status = self.process.wait(timeout)
        self._reader.join(PATIENCE)
        self.process.stderr.close()
        assert_no_sanitizer_report(self.folder, "\n".join(self.log.other_lines))
        return status

    def terminate(self):
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait_for_exit()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it at once, however many connections are left. A crash on the way is a failure."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.log.wait_for("stopped", timeout=0.3)
            except AssertionError:  # connections are left: the second one ends them at once
                self.signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"SIGTERM did not end the tunnel:\n{self.log.text()}")
        if not self.process.stderr.closed:
            status = self.wait_for_exit()
            assert status in (0, 1, 2), f"exit status {status}; the log:\n{self.log.text()}"
