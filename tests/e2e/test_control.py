# SPDX-License-Identifier: MIT
"""Operators see and change a running instance through its control socket."""

import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import threading

import pytest
from harness import schema
from harness import tunnel as program
from harness.frozen import FrozenThread, thread_named
from harness.ports import free_port
from harness.server import echo
from harness.wait import PATIENCE, eventually


class Instance:
    """A tunnel whose control socket has a path of its own, and the commands that speak to it."""

    def __init__(self, start, serve_tls, pki, folder):
        self.servers = [serve_tls(echo), serve_tls(echo)]
        self.socket = f"{folder}/c"
        self.pki, self.folder = pki, folder
        self.config = {"workers": 2, "control": self.socket,
                       "svc": {"accept": "127.0.0.1:0",
                               "connect": [server.address for server in self.servers],
                               "tls": {"ca": str(pki.ca.file)}}}
        self.tunnel = start(self.config)

    def command(self, name, *args):
        return program.run(self.folder, name, self.tunnel.path, *args)

    def order(self, name, *args):
        done = self.command(name, *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self):
        return json.loads(self.order("status", "--json"))

    def target(self, index):
        return self.status()["services"][0]["targets"][index]

    def served(self):
        return self.tunnel.served("svc")


@pytest.fixture
def instance(start, serve_tls, pki, tmp_path):
    return Instance(start, serve_tls, pki, tmp_path)


def test_status_tells_services_targets_and_connections(instance):
    client = instance.served()
    status = instance.status()
    assert status["schema"] == 1 and status["state"] == "running" and status["connections"] == 1
    service = status["services"][0]
    assert service["service"] == "svc" and service["accept"] == [instance.tunnel.address("svc")]
    assert [t["state"] for t in service["targets"]] == ["up", "up"]
    assert sum(t["connections"] for t in service["targets"]) == 1
    # Live, not only at the end.
    assert (service["bytes_up"], service["bytes_down"]) == (1, 1)
    connection = status["connection_list"][0]
    assert connection["client"] == client.local_address and connection["phase"] == "open"
    assert connection["tls"].startswith("TLS1.3")
    text = instance.order("status")
    assert client.local_address in text and "2 workers" in text
    client.half_close()
    client.read_to_end()
    instance.tunnel.closed()
    assert instance.status()["services"][0]["ended"] == 1


def test_status_is_what_its_schema_says(instance):
    schema.validate(instance.status(), "status.schema.json")
    client = instance.served()
    dead = f"127.0.0.1:{free_port()}"
    first = instance.servers[0].address
    instance.config["svc"] |= {"connect": [dead, first, instance.servers[1].address],
                               "balance": "first", "max_connections": 9}
    instance.tunnel.reload(instance.config)
    instance.served()
    instance.order("target", "svc", first, "weight", "2", "--for", "1h")
    instance.order("log-level", "debug", "--client", "127.0.0.0/8")
    status = instance.status()
    schema.validate(status, "status.schema.json")
    assert status["problems"] and status["last_reload"] and status["connection_list"]
    del client


def test_an_ejected_target_is_shown_with_its_reason(instance):
    dead = f"127.0.0.1:{free_port()}"
    instance.config["svc"] |= {"connect": [dead, instance.servers[0].address], "balance": "first",
                               "health": {"eject_time": "1h", "eject_max": "1h"}}
    instance.tunnel.reload(instance.config)
    instance.served()
    target = instance.target(0)
    assert target["state"] == "ejected" and target["kind"] == "connect_refused"
    assert dead in target["why"] and target["ejected_for"] > 0 and target["since"] >= 0


def test_drain_enable_and_weight_of_a_target(instance):
    first, second = (server.address for server in instance.servers)
    assert "is drained" in instance.order("target", "svc", first, "drain")
    clients = [instance.served() for _ in range(4)]
    assert instance.target(0)["connections"] == 0 and instance.target(1)["connections"] == 4
    assert instance.target(0)["state"] == "drained"
    assert instance.target(0)["override"]["uid"] == os.geteuid()
    instance.order("target", "svc", first, "enable")
    assert instance.target(0)["override"] is None
    instance.order("target", "svc", second, "weight", "0")
    clients += [instance.served() for _ in range(3)]
    assert instance.target(0)["connections"] == 3
    lines = instance.tunnel.log.find("control")
    assert len(lines) == 3 and all(line["uid"] == os.geteuid() and line["pid"] for line in lines)


def test_an_override_ends_by_itself(instance):
    first = instance.servers[0].address
    instance.order("target", "svc", first, "eject", "--for", "300ms")
    eventually(lambda: instance.target(0)["override"] is None, "the override has ended")
    assert instance.target(0)["state"] == "up"


def test_overrides_survive_a_reload_of_an_unchanged_target_and_leave_with_a_changed_one(instance):
    first = instance.servers[0].address
    instance.order("target", "svc", first, "drain")
    instance.config["svc"]["timeouts"] = {"idle": "1h"}
    instance.tunnel.reload(instance.config)
    assert instance.target(0)["state"] == "drained"
    instance.config["svc"]["connect"] = [{"address": first, "name": "localhost"}]
    line = instance.tunnel.reload(instance.config)
    assert f"the override of {first} was dropped" in line["msg"]
    assert instance.target(0)["state"] == "up"


def test_kick_ends_the_connections_of_a_target(instance):
    clients = [instance.served() for _ in range(4)]
    first = instance.servers[0].address
    assert instance.order("target", "svc", first, "kick", "--idle", "1h").startswith("0 ")
    assert instance.order("target", "svc", first, "kick").startswith("2 connections ended")
    instance.tunnel.closed(count=2, kind="closed_by_operator")
    assert instance.status()["connections"] == 2
    del clients


def test_close_ends_one_connection(instance):
    client, other = instance.served(), instance.served()
    number = next(c["conn"] for c in instance.status()["connection_list"]
                  if c["client"] == client.local_address)
    instance.order("close", f"svc[{number}]")
    client.expect_reset()
    other.send(b"y")
    assert other.recv_exact(1) == b"y"
    assert instance.command("close", "svc[999]").returncode == 1
    assert instance.command("close", "svc").returncode == 2


def test_drain_closes_the_listener_and_waits_for_the_last_connection(instance):
    client = instance.served()
    address = instance.tunnel.address("svc")
    draining = threading.Thread(target=lambda: instance.order("drain", "svc"))
    draining.start()
    instance.tunnel.wait_for_event("control")
    eventually(lambda: instance.status()["services"][0]["draining"], "the service is draining")
    with pytest.raises(OSError):
        type(client).connect(address)
    assert draining.is_alive()
    client.half_close()
    client.read_to_end()
    draining.join(PATIENCE)
    assert not draining.is_alive()


def test_a_reload_binds_nothing_for_a_drained_service(instance):
    port = free_port()
    instance.config["svc"]["accept"] = f"127.0.0.1:{port}"
    instance.tunnel.reload(instance.config)
    assert "no connection is left" in instance.order("drain", "svc")
    with socket.create_server(("127.0.0.1", port)):
        # Another process has the address now.
        instance.config["svc"]["timeouts"] = {"idle": "1h"}
        assert instance.tunnel.reload(instance.config)["event"] == "reloaded"
    service = instance.status()["services"][0]
    assert service["draining"] and service["accept"] == []


def waiting_drain(instance):
    """A connection, and `tunnel drain` that waits for its end."""
    client = instance.served()
    drain = subprocess.Popen([str(program.BINARY), "drain", str(instance.tunnel.path), "svc"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    instance.tunnel.wait_for_event("control")
    return client, drain


def test_a_drain_is_answered_when_the_process_stops_in_order(instance):
    client, drain = waiting_drain(instance)
    instance.tunnel.signal(signal.SIGTERM)
    instance.tunnel.wait_for_event("draining")
    client.half_close()
    client.read_to_end()
    out, err = drain.communicate(timeout=PATIENCE)
    assert drain.returncode == 0 and "no connection is left" in out, err
    assert instance.tunnel.process.wait(PATIENCE) == 0


def test_a_drain_is_answered_when_the_stop_is_forced(instance):
    client, drain = waiting_drain(instance)
    instance.tunnel.signal(signal.SIGTERM)
    instance.tunnel.wait_for_event("draining")
    instance.tunnel.signal(signal.SIGTERM)
    _, err = drain.communicate(timeout=PATIENCE)
    assert drain.returncode == 1 and "it reset 1 connection" in err
    client.expect_reset()


def test_the_log_level_changes_for_a_while(instance):
    instance.order("log-level", "debug", "--service", "svc", "--for", "10m")
    instance.served()
    instance.tunnel.wait_for_event("connected")
    assert instance.status()["level_overrides"][0]["level"] == "debug"


def test_reload_answers_with_what_has_changed_or_what_is_wrong(instance):
    instance.config["svc"]["timeouts"] = {"idle": "1h"}
    instance.tunnel.rewrite(instance.config)
    assert "svc: timeouts.idle changed" in instance.order("reload")
    assert instance.status()["last_reload"]["successful"] is True
    instance.config["svc"]["conect"] = "x"
    instance.tunnel.rewrite(instance.config)
    # The file cannot be read for its `control`, so the place is named.
    done = program.run(instance.folder, "--control", instance.socket, "reload", instance.tunnel.path)
    assert done.returncode == 1
    checked = program.run(instance.folder, "check", instance.tunnel.path)
    assert done.stderr == checked.stderr
    assert instance.tunnel.log.find("reload_failed")


def test_the_configuration_in_force_masks_secrets(instance):
    instance.config["svc"] |= {"proxy": "http://user:verysecret@127.0.0.1:1"}
    instance.tunnel.reload(instance.config)
    text = instance.order("config")
    assert "verysecret" not in text and "MASKED" in text and "sha256:" in text


def test_unknown_names_are_refused_with_a_suggestion(instance):
    done = instance.command("target", "svcc", "x", "drain")
    assert done.returncode == 1 and 'did you mean "svc"?' in done.stderr
    done = instance.command("target", "svc", instance.servers[0].address + "0", "drain")
    assert done.returncode == 1 and "did you mean" in done.stderr


def test_no_instance_is_a_sentence_and_status_1(instance, tmp_path):
    done = program.run(tmp_path, "--control", str(tmp_path / "none"), "status", instance.tunnel.path)
    assert done.returncode == 1 and "no instance is running" in done.stderr


def test_a_stalled_client_and_a_flood_harm_nobody(instance):
    stalled = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for sock in stalled:
        sock.connect(instance.socket)
        sock.sendall(b'{"v":1')
    flood = socket.socket(socket.AF_UNIX)
    flood.connect(instance.socket)
    with pytest.raises(OSError):
        for _ in range(16):
            flood.sendall(b"x" * 65536)
    assert instance.status()["state"] == "running"
    instance.served()


def test_a_stuck_worker_does_not_hang_status(instance, keep):
    # The main thread goes on while a worker is stopped by a debugger's means.
    worker = keep(FrozenThread(thread_named(instance.tunnel.pid, "worker-1")))
    if not worker.is_possible:
        pytest.skip("no ptrace here")
    assert instance.status()["silent_workers"] == [1]


def test_wait_ready_waits_for_an_instance(start, serve_tls, pki, tmp_path):
    socket_path = str(tmp_path / "c")
    (tmp_path / "later.toml").write_text(f'control = "{socket_path}"\n')
    waiting = subprocess.Popen([str(program.BINARY), "--control", socket_path, "status",
                                str(tmp_path / "later.toml"), "--wait-ready", "1h"],
                               stdout=subprocess.PIPE, text=True)
    start({"control": socket_path, "svc": {"accept": "127.0.0.1:0",
                                           "connect": serve_tls(echo).address,
                                           "tls": {"ca": str(pki.ca.file)}}})
    out, _ = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == 0 and "svc" in out


def test_wait_ready_does_not_take_one_that_stops_for_ready(instance):
    instance.served()
    instance.tunnel.signal(signal.SIGTERM)
    instance.tunnel.wait_for_event("draining")
    done = instance.command("status", "--wait-ready", "100ms")
    assert done.returncode == 1
    assert "is stopping" in done.stderr or "no instance" in done.stderr


def test_watch_fits_80_columns_and_leaves_the_terminal_as_it_was(instance):
    client = instance.served()
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)
    watching = subprocess.Popen([str(program.BINARY), "status", str(instance.tunnel.path), "--watch"],
                                stdin=slave, stdout=slave, stderr=subprocess.PIPE)
    screen = b""
    while b"svc" not in screen or client.local_address.encode() not in screen:
        assert select.select([master], [], [], PATIENCE)[0]
        screen += os.read(master, 65536)
    os.write(master, b"q")
    assert watching.wait(PATIENCE) == 0
    while select.select([master], [], [], 0)[0]:
        screen += os.read(master, 65536)
    assert termios.tcgetattr(slave) == before
    assert screen.endswith(b"\x1b[?25h\x1b[?1049l")
    for line in screen.replace(b"\x1b[H", b"").replace(b"\x1b[K", b"").replace(b"\x1b[J", b"") \
            .replace(b"\x1b[?1049h\x1b[?25l", b"").replace(b"\x1b[?25h\x1b[?1049l", b"") \
            .replace(b"\r", b"").split(b"\n"):
        assert len(line.decode()) <= 80
    for descriptor in (master, slave):
        os.close(descriptor)


def test_the_default_place_is_made_and_removed(start, serve_tls, pki):
    if os.geteuid() != 0:
        pytest.skip("/run is root's")
    tunnel = start({"svc": {"accept": "127.0.0.1:0", "connect": serve_tls(echo).address,
                            "tls": {"ca": str(pki.ca.file)}}})
    folder = f"/run/tunnel-{tunnel.path.stem}"
    status = os.stat(f"{folder}/control.sock")
    assert status.st_mode & 0o777 == 0o600
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert tunnel.terminate() == 0
    assert not os.path.exists(folder)


def test_two_instances_of_one_name_warn_and_the_first_keeps_the_socket(instance, start, tmp_path):
    done = program.run(tmp_path, config={"foreground": True, "control": instance.socket,
                                         "svc": {"accept": "127.0.0.1:0",
                                                 "connect": "127.0.0.1:1", "tls": False}})
    assert done.returncode == 1 and "control socket" in done.stderr
    assert instance.status()["state"] == "running"
