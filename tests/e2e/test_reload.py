# SPDX-License-Identifier: MIT
"""A changed configuration is taken over while connections go on: all of it, or nothing."""

import hashlib
import json
import os
import signal
import socket
import threading

import pytest
from harness import expect
from harness.ports import free_port
from harness.server import echo
from harness.wait import PATIENCE, SANITIZED, eventually


def named(name):
    """A server that says who it is, then echoes."""

    def script(peer):
        peer.send(name)
        echo(peer)

    return script


class World:
    """One tunnel with a fixed port, and servers to choose from."""

    def __init__(self, start, serve_tls, pki):
        self.pki = pki
        self.first, self.second = serve_tls(named(b"1")), serve_tls(named(b"2"))
        self.port = free_port()
        self.tunnel = start(self.config(self.first))

    def config(self, *targets, options=None, others=None, **keys):
        return {"workers": 2, **(options or {}),
                "svc": {"accept": f"127.0.0.1:{self.port}",
                        "connect": [target.address for target in targets],
                        "tls": {"ca": self.pki.ca.file}, **keys},
                **(others or {})}

    def connect(self):
        return self.tunnel.connect("svc")

    def server_of(self, client):
        return client.recv_exact(1)


@pytest.fixture
def world(start, serve_tls, pki):
    return World(start, serve_tls, pki)


def test_new_connections_follow_the_new_file_and_old_ones_keep_theirs(world):
    old = world.connect()
    assert world.server_of(old) == b"1"
    line = world.tunnel.reload(world.config(world.second))
    assert line["event"] == "reloaded"
    assert f"svc: target {world.second.address} added, target {world.first.address} removed, " \
           "1 connection kept" in line["msg"]
    new = world.connect()
    assert world.server_of(new) == b"2"
    old.send(b"still")
    assert old.recv_exact(5) == b"still"


def test_nothing_changes_without_a_change(world):
    line = world.tunnel.reload()
    assert line["event"] == "reloaded" and "svc: unchanged" in line["msg"]
    assert world.server_of(world.connect()) == b"1"


def test_services_come_and_go(world, serve_tls):
    third = {"third": {"accept": "127.0.0.1:0", "connect": world.second.address,
                       "tls": {"ca": world.pki.ca.file}}}
    line = world.tunnel.reload(world.config(world.first, others=third))
    assert "third: added" in line["msg"]
    address = world.tunnel.address("third")
    client = world.tunnel.connect("third")
    assert world.server_of(client) == b"2"
    line = world.tunnel.reload(world.config(world.first))
    assert "third: removed, 1 connection kept" in line["msg"]
    client.send(b"x")
    assert client.recv_exact(1) == b"x"
    with pytest.raises(OSError):
        type(client).connect(address)


@pytest.mark.parametrize("what", ["syntax", "unknown key", "missing file", "mismatched pair", "port in use"])
def test_a_broken_file_changes_nothing_and_says_why(world, run, pki, serve, what):
    good = world.config(world.first)
    service = dict(good["svc"])
    if what == "syntax":
        broken = "[svc\n"
    elif what == "port in use":
        taken = serve(echo)
        broken = {**good, "svc": {**service, "accept": [service["accept"], taken.address]}}
    else:
        tls = dict(service["tls"])
        if what == "unknown key":
            service["conect"] = "x:1"
        if what == "missing file":
            tls["ca"] = "/nonexistent/ca.pem"
        if what == "mismatched pair":
            tls |= {"cert": str(pki.leaf().chain_file), "key": str(pki.wrong_name.key_file)}
        broken = {**good, "svc": {**service, "tls": tls}}
    line = world.tunnel.reload(broken)
    assert line["event"] == "reload_failed" and line["level"] == "error"
    if what != "port in use":
        # The same words as `check` has.
        checked = run("check", world.tunnel.path)
        assert checked.returncode == 2
        for said in checked.stderr.splitlines():
            if ": error: " in said:
                assert said in line["msg"]
    else:
        assert "in use" in line["msg"]
    assert world.server_of(world.connect()) == b"1"
    assert world.tunnel.reload(good)["event"] == "reloaded"


@pytest.mark.parametrize("on_removed", ["keep", "close-idle", "close"])
def test_connections_of_a_removed_target_are_seen_off_as_the_old_file_says(world, on_removed):
    world.tunnel.reload(world.config(world.first, on_removed=on_removed))
    client = world.connect()
    assert world.server_of(client) == b"1"
    expect.served(world.tunnel, client)
    world.tunnel.reload(world.config(world.second))
    if on_removed == "keep":
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
        return
    end = client.read_to_end()
    closed = world.tunnel.closed()
    assert "on_removed" in closed["msg"]
    if on_removed == "close":
        assert end.how == "reset"
    else:
        assert end.how == "eof" and closed["kind"] == "ok"


def test_a_unix_socket_keeps_its_inode_and_a_removed_one_its_file_goes(world, tmp_path):
    path = tmp_path / "svc.sock"
    both = world.config(world.first)
    both["svc"]["accept"] = [both["svc"]["accept"], str(path)]
    world.tunnel.reload(both)
    inode = path.stat().st_ino
    both["svc"]["timeouts"] = {"idle": "1h"}
    world.tunnel.reload(both)
    assert path.stat().st_ino == inode
    world.tunnel.reload(world.config(world.first))
    assert not path.exists()


def test_the_log_changes_at_once(world, tmp_path):
    log = tmp_path / "new.log"
    world.tunnel.rewrite(world.config(world.first, options={"log_file": str(log),
                                                            "log_format": "text"}))
    world.tunnel.signal(signal.SIGHUP)
    eventually(lambda: log.exists() and "reloaded: " in log.read_text(), "the new log has the line")


def test_what_needs_a_restart_is_named(world):
    line = world.tunnel.reload(world.config(world.first, options={"workers": 1, "pid_file": "x.pid"}))
    assert "only after a restart: pid_file, workers" in line["msg"]


def test_what_is_in_force_only_after_a_restart_is_named_until_then(world):
    other = world.config(world.first, options={"workers": 1})
    for _ in range(2):
        assert "only after a restart: workers" in world.tunnel.reload(other)["msg"]
    assert "restart" not in world.tunnel.reload(world.config(world.first))["msg"]


def test_a_log_level_changes_no_other_thing_of_the_log(world):
    """Without `foreground`, which is not reloadable, the log would be syslog's."""
    world.tunnel.rewrite({**world.config(world.first), "foreground": False, "log_level": "debug"})
    lines = len(world.tunnel.log.find("reloaded"))
    world.tunnel.signal(signal.SIGHUP)
    eventually(lambda: len(world.tunnel.log.find("reloaded")) > lines, "a reload was logged")
    assert "only after a restart: foreground" in world.tunnel.log.find("reloaded")[-1]["msg"]
    world.connect()
    world.tunnel.wait_for_event("connected")


def test_an_address_that_includes_one_in_use_by_this_process_says_so(world):
    config = world.config(world.first)
    config["svc"] |= {"accept": f"0.0.0.0:{world.port}", "allow_remote": True}
    line = world.tunnel.reload(config)
    assert line["event"] == "reload_failed"
    assert f"this process listens on 127.0.0.1:{world.port} for [svc]" in line["msg"]
    assert world.server_of(world.connect()) == b"1"


def test_a_program_runs_again_when_its_service_has_it_again(world, start, tmp_path):
    """Twice: after it has ended, and while it has not yet."""
    program = tmp_path / "program.sh"
    program.write_text("#!/bin/sh\nexec cat\n")
    program.chmod(0o755)

    def config(exec_):
        accept = {"exec": str(program)} if exec_ else {"accept": "127.0.0.1:0"}
        return world.config(world.first, options={"sandbox": "off"}, others={
            "prog": {"connect": world.first.address, "tls": {"ca": world.pki.ca.file}, **accept}})

    def running():
        return world.tunnel.log.find("notice", msg=lambda m: m.startswith("running "))

    # A sandbox would not let a program run that was not there at the start.
    world.tunnel.terminate()
    world.tunnel = start(config(False))
    world.tunnel.reload(config(True))
    eventually(lambda: len(running()) == 1, "the program runs")
    world.tunnel.reload(config(False))
    # It has lost its place, not its connection: that one ends first.
    assert len(world.tunnel.ps.children()) == 1
    world.tunnel.reload(config(True))
    world.tunnel.ps.children()[0].kill()
    eventually(lambda: len(running()) == 2, "the program runs again")
    world.tunnel.reload(config(False))
    world.tunnel.ps.children()[0].kill()
    world.tunnel.log.wait_for("notice", 2, msg=lambda m: "was killed by signal 9" in m)
    world.tunnel.wait_for_event("closed", 2, service="prog")
    world.tunnel.reload(config(True))
    eventually(lambda: len(running()) == 3, "the program runs once more")


def test_a_storm_of_signals_and_a_stop_in_the_middle(world):
    configs = [world.config(world.first), world.config(world.second)]
    for i in range(50):
        world.tunnel.rewrite(configs[i % 2])
        world.tunnel.signal(signal.SIGHUP)
    assert world.tunnel.terminate() == 0


def test_health_survives_a_reload_of_an_unchanged_target(world, start):
    dead = f"127.0.0.1:{free_port()}"
    config = world.config(world.first, balance="first", health={"eject_time": "1h", "eject_max": "1h"})
    config["svc"]["connect"] = [dead, world.first.address]
    world.tunnel.reload(config)
    assert world.server_of(world.connect()) == b"1"
    world.tunnel.wait_for_event("ejected", target=dead)
    config["svc"]["timeouts"] = {"idle": "1h"}
    world.tunnel.reload(config)
    client = world.connect()
    assert world.server_of(client) == b"1"
    where = client.local_address
    client.half_close()
    client.read_to_end()
    assert world.tunnel.closed(client=where)["tries"] == 1


class Load:
    """Connections that come without pause, each with some bytes to and fro."""

    def __init__(self, world):
        self.world, self.failures, self.done = world, [], 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        payload = os.urandom(4096)
        while not self._stop.is_set():
            try:
                client = self.world.connect()
                self.world.server_of(client)
                client.send(payload)
                assert client.recv_exact(len(payload)) == payload
                client.half_close()
                assert client.read_to_end().how == "eof"
                client.close()
                self.done += 1
            except BaseException as error:  # noqa: BLE001: whatever it is, it is a failure
                self.failures.append(repr(error))
                return

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def long_transfer(world, results, stop):
    """Sends until told to stop, and compares what comes back."""
    client = world.connect()
    world.server_of(client)
    sent, received = hashlib.sha256(), hashlib.sha256()
    while not stop.is_set():
        block = os.urandom(64 * 1024)
        sent.update(block)
        client.send(block)
        received.update(client.recv_exact(len(block)))
    client.half_close()
    end = client.read_to_end()
    results.append(sent.digest() == received.digest() and end.how == "eof")


def test_reloads_under_load_lose_nothing(world):
    configs = [world.config(world.first),
               world.config(world.second, max_connections=500,
                            others={"other": {"accept": "127.0.0.1:0",
                                              "connect": world.first.address,
                                              "tls": {"ca": world.pki.ca.file}}})]
    load = Load(world)
    results, stop = [], threading.Event()
    transfers = [threading.Thread(target=long_transfer, args=(world, results, stop))
                 for _ in range(20 if SANITIZED else 100)]
    for thread in transfers:
        thread.start()
    for i in range(20 if SANITIZED else 100):
        assert world.tunnel.reload(configs[i % 2])["event"] == "reloaded"
        client = world.connect()
        assert world.server_of(client) == (b"1", b"2")[i % 2]
        client.close()
    stop.set()
    for thread in transfers:
        thread.join()
    load.stop()
    assert not load.failures
    assert load.done > 0 and results == [True] * len(transfers)
    failed = [e for e in world.tunnel.log.find("closed") if e["kind"] not in ("ok", "reset_by_client")]
    assert not failed


def reload_by_order(path):
    """One reload through the control socket, which answers when it is over."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(PATIENCE)
        control.connect(path)
        control.sendall(b'{"v":1,"command":"reload"}\n')
        assert json.loads(control.makefile().readline())["ok"]


@pytest.mark.heavy
def test_a_thousand_reloads_leave_memory_and_descriptors_as_they_were(world, start, tmp_path):
    control = f"{tmp_path}/c"

    def config(i):
        others = {f"s{n}": {"accept": "127.0.0.1:0", "connect": world.first.address,
                            "timeouts": {"idle": f"{60 + (i + n) % 2}s"},
                            "tls": {"ca": world.pki.ca.file}} for n in range(50)}
        return {"workers": 2, "control": control, **others}

    tunnel = start(config(0))
    for i in range(1000):
        tunnel.rewrite(config(i))
        reload_by_order(control)
        if i == 200:
            descriptors, memory = tunnel.ps.num_fds(), tunnel.ps.memory_info().rss
    # One that each reload left, or each of fifty services, would be hundreds by now.
    eventually(lambda: tunnel.ps.num_fds() <= descriptors + 3, "as many descriptors as before")
    assert tunnel.ps.memory_info().rss < memory * 1.1 + 4 * 1024 * 1024
