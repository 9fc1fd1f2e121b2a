# SPDX-License-Identifier: MIT
"""SIGUSR2: another process takes over, and no client notices; or it cannot, and nothing changes."""

import collections
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import urllib.request

import psutil
import pytest
from harness import expect, ports, process
from harness.peer import Peer
from harness.process import DIE_WITH_PARENT
from harness.tunnel import BINARY, Tunnel, run, sanitizer_environment, write_config
from harness.wait import PATIENCE, eventually

TAKEN_OVER = re.compile(r"SIGUSR2: process (\d+) has taken over")


class Line:
    """A tunnel and those that took over from it, one after the other; all log to one place."""

    def __init__(self, first):
        self.first = first
        self.log = first.log
        self.pid = first.pid
        self.upgrades = 0

    def signal(self, number=signal.SIGUSR2):
        os.kill(self.pid, number)

    def hand_over(self):
        """Returns when the next process serves, with the last one, which may have clients left."""
        old = self.pid
        self.signal()
        self.upgrades += 1

        def taken_over():
            return [m for e in self.log.find("draining") if (m := TAKEN_OVER.match(e["msg"]))]

        eventually(lambda: len(taken_over()) >= self.upgrades, "another process has taken over")
        self.pid = int(taken_over()[-1][1])
        return old

    def upgrade(self):
        """Returns when the next process serves and the last one has ended, with its status."""
        return self._wait(self.hand_over())

    def failure(self, count=1):
        """The line that says why there was none."""
        eventually(lambda: len(self._failures()) >= count, "the log says why")
        return self._failures()[count - 1]

    def _failures(self):
        return [e for e in self.log.find("notice") if e.get("kind", "").startswith("upgrade_")]

    def _wait(self, pid):
        if pid == self.first.pid:
            return self.first.process.wait(PATIENCE)
        return process.wait_for_exit(pid)

    def terminate(self):
        self.signal(signal.SIGTERM)
        return self._wait(self.pid)

    def stop(self):
        if self.pid != self.first.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


@pytest.fixture
def line(start, keep):
    return lambda config, **kwargs: keep(Line(start(config, **kwargs)))


def load(addresses):
    """Clients in a loop until the function that this gives back is called, which says how many were
    served at each address."""
    over, failures, served = threading.Event(), [], dict.fromkeys(addresses, 0)

    def ask(address):
        while not over.is_set() and not failures:
            try:
                expect.exchange(address)
                served[address] += 1
            except (OSError, AssertionError) as error:
                failures.append((address, error))

    askers = [threading.Thread(target=ask, args=(a,)) for a in addresses for _ in range(3)]
    for asker in askers:
        asker.start()

    def end():
        over.set()
        for asker in askers:
            asker.join()
        assert not failures
        return served

    return served, failures, end


def test_no_connection_is_refused_or_lost_in_twenty_upgrades(line, service, tmp_path):
    tcp, unix = f"127.0.0.1:{ports.free_port()}", str(tmp_path / "s")
    tunnels = line({"pid_file": tmp_path / "pid", "tcp": service(tcp), "unix": service(unix)})
    served, failures, end = load([tcp, unix])
    for _ in range(20):
        before = dict(served)
        eventually(lambda: failures or all(served[a] > before[a] + 3 for a in served),
                   "clients are served")
        assert tunnels.upgrade() == 0
        assert (tmp_path / "pid").read_text() == f"{tunnels.pid}\n"
    end()
    assert tunnels.terminate() == 0
    assert not (tmp_path / "pid").exists() and not (tmp_path / "s").exists()


def test_a_connection_that_is_open_stays_with_the_old_process(line, service):
    address = f"127.0.0.1:{ports.free_port()}"
    tunnels = line({"svc": service(address)})
    with Peer.connect(address) as client:
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
        tunnels.hand_over()
        expect.exchange(address)
        client.send(b"y")
        assert client.recv_exact(1) == b"y"
        client.half_close()
        client.expect_eof()
    assert tunnels.first.process.wait(PATIENCE) == 0


def test_a_manager_that_stops_both_lets_the_old_ones_connections_finish(line, service):
    address = f"127.0.0.1:{ports.free_port()}"
    tunnels = line({"svc": service(address)})
    with Peer.connect(address) as client:
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
        client.send(b"y")  # its answer is on its way: not idle in a pool
        old = tunnels.hand_over()
        os.kill(old, signal.SIGTERM)
        eventually(lambda: any("may still finish" in e["msg"] for e in tunnels.log.find("notice")),
                   "the old process has heard it")
        assert client.recv_exact(1) == b"y"
        client.send(b"z")
        assert client.recv_exact(1) == b"z"
        client.half_close()
        client.expect_eof()
    assert tunnels.first.process.wait(PATIENCE) == 0
    assert tunnels.terminate() == 0


def test_a_changed_file_is_in_force_afterwards(line, service, tmp_path):
    kept, old, new = (f"127.0.0.1:{ports.free_port()}" for _ in range(3))
    tunnels = line({"kept": service(kept), "old": service(old)})
    tunnels.first.rewrite({"kept": service(kept), "new": service(new)})
    assert tunnels.upgrade() == 0
    expect.exchange(kept)
    expect.exchange(new)
    with pytest.raises(ConnectionRefusedError):
        Peer.connect(old)


def test_the_control_socket_and_the_status_page_are_the_new_processs(line, service, tmp_path):
    control, page = tmp_path / "c", str(tmp_path / "page")
    tcp_page = f"127.0.0.1:{ports.free_port()}"
    tunnels = line({"control": control, "status": [tcp_page, page],
                    "svc": service("127.0.0.1:0")})
    before = {path: os.stat(path).st_ino for path in (control, page)}
    port = tunnels.first.address("svc")
    for _ in range(3):
        assert tunnels.upgrade() == 0
        told = run(tmp_path, "status", tunnels.first.path, "--control", control, "--json")
        assert json.loads(told.stdout)["pid"] == tunnels.pid
        with urllib.request.urlopen(f"http://{tcp_page}/livez", timeout=PATIENCE) as answer:
            assert answer.status == 200
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(page)
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        expect.exchange(port)  # of any port, the same
    assert before == {path: os.stat(path).st_ino for path in (control, page)}
    assert tunnels.terminate() == 0
    assert not control.exists() and not pathlib.Path(page).exists()


def test_the_new_process_has_no_descriptor_that_a_fresh_one_has_not(line, service, tmp_path):
    tunnels = line({"pid_file": tmp_path / "pid", "control": tmp_path / "c",
                    "svc": service(["127.0.0.1:0", str(tmp_path / "s")])})

    def descriptors():
        folder = f"/proc/{tunnels.pid}/fd"
        return collections.Counter(re.sub(r"\d+", "N", os.readlink(f"{folder}/{fd}"))
                                   for fd in os.listdir(folder))

    def environment():
        with open(f"/proc/{tunnels.pid}/environ") as file:
            return sorted(v.split("=")[0] for v in file.read().split("\0"))

    assert run(tmp_path, "status", tunnels.first.path, "--control", tmp_path / "c").returncode == 0
    fresh = descriptors()
    assert tunnels.upgrade() == 0
    eventually(lambda: descriptors() <= fresh, lambda: f"{descriptors() - fresh} are left open")
    names = environment()
    assert tunnels.upgrade() == 0
    eventually(lambda: descriptors() <= fresh, lambda: f"{descriptors() - fresh} are left open")
    assert environment() == names


def test_a_socket_file_has_the_mode_of_the_file_after_a_reload_and_an_upgrade(line, service, tmp_path):
    unix = tmp_path / "s"
    tunnels = line({"svc": service(str(unix))})
    assert unix.stat().st_mode & 0o777 == 0o600
    inode = unix.stat().st_ino
    tunnels.first.reload({"svc": service(str(unix)) | {"unix_mode": "0640"}})
    eventually(lambda: unix.stat().st_mode & 0o777 == 0o640, "a reload changes the mode")
    tunnels.first.rewrite({"svc": service(str(unix)) | {"unix_mode": "0660"}})
    assert tunnels.upgrade() == 0
    assert unix.stat().st_mode & 0o777 == 0o660 and unix.stat().st_ino == inode
    expect.exchange(str(unix))


# What goes wrong.


def test_with_a_broken_configuration_the_old_process_goes_on(line, service, tmp_path):
    address, unix = f"127.0.0.1:{ports.free_port()}", tmp_path / "s"
    config = {"pid_file": tmp_path / "pid", "svc": service([address, str(unix)])}
    tunnels = line(config)
    tunnels.first.rewrite("nonsense")
    tunnels.signal()
    failure = tunnels.failure()
    assert failure["kind"] == "upgrade_exited" and failure["level"] == "error"
    assert "exit status 2; it said: " in failure["msg"] and "nonsense" in failure["msg"]
    assert (tmp_path / "pid").read_text() == f"{tunnels.pid}\n"
    expect.exchange(address)
    expect.exchange(str(unix))
    # Somebody else has the address that the next file wants: what had been taken over stays here.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = "127.0.0.1:%d" % other.getsockname()[1]
        tunnels.first.rewrite({**config, "two": service(taken)})
        tunnels.signal()
        failure = tunnels.failure(2)
        assert failure["kind"] == "upgrade_exited" and "already in use" in failure["msg"]
    assert (tmp_path / "pid").read_text() == f"{tunnels.pid}\n"
    expect.exchange(address)
    expect.exchange(str(unix))
    assert tunnels.upgrade() == 0
    expect.exchange(str(unix))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A copy of the program that may be replaced."""
    path = tmp_path / "bin" / "tunnel"
    path.parent.mkdir()
    shutil.copy(BINARY, path)
    monkeypatch.setattr("harness.tunnel.BINARY", path)

    def replace(text):
        new = path.with_suffix(".new")
        if text is None:
            shutil.copy(BINARY, new)
        else:
            new.write_text(text)
            new.chmod(0o755)
        new.rename(path)

    return replace


def test_with_a_broken_program_the_old_process_goes_on(line, service, installed):
    address = f"127.0.0.1:{ports.free_port()}"
    tunnels = line({"svc": service(address)})
    installed("#!/bin/sh\necho 'tunnel: no such library' >&2\nexit 1\n")
    tunnels.signal()
    failure = tunnels.failure()
    assert failure["kind"] == "upgrade_exited"
    assert "ended with exit status 1; it said: tunnel: no such library" in failure["msg"]
    expect.exchange(address)
    installed("not a program\n")
    tunnels.signal()
    assert tunnels.failure(2)["kind"] in ("upgrade_not_started", "upgrade_exited")
    expect.exchange(address)
    installed(None)
    assert tunnels.upgrade() == 0
    expect.exchange(address)


def sleeping(tunnels):
    """The program that hangs; a process of its own may have started it."""

    def find():
        family = psutil.Process(tunnels.pid).children(recursive=True)
        return [each for each in family if each.name() == "sleep"]

    return eventually(find, "it hangs")[0]


def test_a_program_that_hangs_is_waited_for_and_a_second_signal_refused(line, service, installed):
    address = f"127.0.0.1:{ports.free_port()}"
    tunnels = line({"svc": service(address)})
    installed("#!/bin/sh\nexec sleep 1000\n")
    tunnels.signal()
    child = sleeping(tunnels)
    tunnels.signal()
    failure = tunnels.failure()
    assert failure["kind"] == "upgrade_refused"
    assert f"an upgrade is under way, with process {child.pid}" in failure["msg"]
    expect.exchange(address)
    child.kill()
    assert tunnels.failure(2)["kind"] == "upgrade_exited"
    expect.exchange(address)


def test_sigterm_while_the_new_process_starts_ends_both(line, service, installed, tmp_path):
    tunnels = line({"svc": service(str(tmp_path / "s"))})
    installed("#!/bin/sh\nexec sleep 1000\n")
    tunnels.signal()
    child = sleeping(tunnels)
    assert tunnels.terminate() == 0
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE,
               "the new process is gone")
    assert not (tmp_path / "s").exists()


def test_a_supervisor_that_follows_the_process_makes_it_refuse(service, tmp_path, stack):
    runsv = tmp_path / "runsv"
    runsv.write_text('#!/bin/sh\n"$@" &\nchild=$!\ntrap "kill $child" TERM\nwait\nwait\n')
    runsv.chmod(0o755)
    path = write_config(tmp_path, {"foreground": True, "log_file": tmp_path / "log",
                                   "log_format": "json", "pid_file": tmp_path / "pid",
                                   "svc": service("127.0.0.1:0")})
    supervisor = subprocess.Popen([*DIE_WITH_PARENT, runsv, BINARY, path],
                                  env={**os.environ, **sanitizer_environment(tmp_path)})
    stack.callback(supervisor.wait)
    stack.callback(supervisor.terminate)
    eventually((tmp_path / "pid").exists, "it is up")
    pid = eventually(lambda: (tmp_path / "pid").read_text(), "it has written its number")
    eventually(lambda: "ready: " in (tmp_path / "log").read_text(), "it is ready")
    os.kill(int(pid), signal.SIGUSR2)
    eventually(lambda: "runsv follows the process that it has started" in
               (tmp_path / "log").read_text(), "the log says why")


# Daemons, users, managers.


def test_a_daemons_successor_is_one_too(service, tmp_path, stack):
    address = f"127.0.0.1:{ports.free_port()}"
    write_config(tmp_path, {"pid_file": "pid", "log_file": "log", "log_format": "json",
                            "svc": service(address)})
    done = run(tmp_path, "tunnel.toml")  # a path that means nothing in the daemon's folder
    assert done.returncode == 0, done.stderr
    first = int((tmp_path / "pid").read_text())
    os.kill(first, signal.SIGUSR2)
    assert process.wait_for_exit(first) == 0
    second = int((tmp_path / "pid").read_text())
    assert second != first
    expect.exchange(address)
    assert os.readlink(f"/proc/{second}/cwd") == "/"
    assert [os.readlink(f"/proc/{second}/fd/{n}") for n in range(3)] == ["/dev/null"] * 3
    assert os.getsid(second) != os.getsid(0)
    (tmp_path / "tunnel.toml").write_text("nonsense")
    os.kill(second, signal.SIGUSR2)
    eventually(lambda: "nonsense" in (tmp_path / "log").read_text(), "the log says why")
    expect.exchange(address)
    os.kill(second, signal.SIGTERM)
    assert process.wait_for_exit(second) == 0
    assert not (tmp_path / "pid").exists()


def test_services_of_the_command_line_are_taken_over(tmp_path):
    address, target = (f"127.0.0.1:{ports.free_port()}" for _ in range(2))
    first = subprocess.Popen(
        [*DIE_WITH_PARENT, BINARY, "--foreground", "--service", f"a={address},{target}"],
        stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, **sanitizer_environment(tmp_path)})
    ready = threading.Event()
    lines = []

    def read():
        for text in first.stderr:
            lines.append(text)
            if "ready: " in text:
                ready.set()

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(PATIENCE)
    first.send_signal(signal.SIGUSR2)
    assert first.wait(PATIENCE) == 0
    second = int(TAKEN_OVER.search("".join(lines))[1])
    with Peer.connect(address) as client:
        client.expect_reset()  # there is no such server
    os.kill(second, signal.SIGTERM)
    assert process.wait_for_exit(second) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_after_a_change_of_user_ports_are_taken_over_and_roots_files_are_not(service, keep, stack):
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="e2e-upgrade-")))
    folder.chmod(0o755)
    address, unix = "127.83.84.85:389", str(folder / "s")
    config = {"user": "nobody", "pid_file": folder / "pid", "svc": service([address, unix])}
    tunnels = keep(Line(keep(Tunnel(folder, config))))
    nobody = pwd.getpwnam("nobody").pw_uid
    for _ in range(2):
        assert tunnels.upgrade() == 0
        expect.exchange(address)
        expect.exchange(unix)
        assert os.stat(f"/proc/{tunnels.pid}").st_uid == nobody
        assert (folder / "pid").read_text() == f"{tunnels.pid}\n"
        told = run(folder, "status", tunnels.first.path, "--json")  # at its default place
        assert json.loads(told.stdout)["pid"] == tunnels.pid
    tunnels.first.path.chmod(0o600)
    tunnels.signal()
    # The first one had been root, the last one never was.
    assert "Permission denied" in tunnels.failure()["msg"]
    expect.exchange(address)
    tunnels.first.path.chmod(0o644)
    assert tunnels.upgrade() == 0
    expect.exchange(unix)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_that_the_process_was_root_once_is_said_where_it_may_be_the_reason(service, keep, stack):
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="e2e-upgrade-")))
    folder.chmod(0o755)
    tunnels = keep(Line(keep(Tunnel(folder, {"user": "nobody", "svc": service("127.0.0.1:0")}))))
    tunnels.first.path.chmod(0o600)
    tunnels.signal()
    assert "was root when it started" in tunnels.failure()["msg"]


def test_the_manager_is_told_of_the_new_process_by_the_old_one(manager, line, service):
    address = manager.listen("web")
    own = f"127.0.0.1:{ports.free_port()}"
    tunnels = line({"svc": service("fd:web"), "own": service(own)},
                   **manager.launch(WATCHDOG_USEC="200000"))
    manager.wait_for(FDSTORE="1")
    first = tunnels.pid
    assert tunnels.upgrade() == 0
    expect.exchange(address)
    expect.exchange(own)
    told = manager.wait_for(MAINPID=str(tunnels.pid))
    assert told == {"MAINPID": str(tunnels.pid)}
    ready = manager.wait_for(count=2, READY="1")
    assert ready["MAINPID"] == str(tunnels.pid) != str(first)
    after = manager.messages.index(told)
    assert not any("STOPPING" in m for m in manager.messages)
    # Nothing comes from the new process that the manager would not yet believe.
    assert all(m.get("MAINPID") != str(tunnels.pid) for m in manager.messages[:after])
    manager.wait_for(count=len(manager.find(WATCHDOG="1")) + 2, WATCHDOG="1")


def test_the_control_and_status_sockets_are_given_into_keeping(manager, line, service, tmp_path):
    page = f"127.0.0.1:{ports.free_port()}"
    config = {"control": tmp_path / "c", "status": page, "svc": service("127.0.0.1:0")}
    tunnels = line(config, **manager.launch(FDSTORE="64"))
    manager.wait_for(count=3, FDSTORE="1")
    assert {"tunnel-kept-control-socket", f"tunnel-kept-{page.replace(':', ';')}"} < set(
        manager.kept)
    inode = os.stat(tmp_path / "c").st_ino
    assert tunnels.terminate() == 0
    second = line(config, **manager.launch(FDSTORE="64"))
    assert os.stat(tmp_path / "c").st_ino == inode
    told = run(tmp_path, "status", second.first.path, "--control", tmp_path / "c")
    assert told.returncode == 0, told.stderr
    with urllib.request.urlopen(f"http://{page}/livez", timeout=PATIENCE) as answer:
        assert answer.status == 200
