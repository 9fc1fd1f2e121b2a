# SPDX-License-Identifier: MIT
"""Connections that are established, and verified, before there is a client."""

import json
import queue
import signal
import socket
import threading

import pytest
from harness import expect
from harness.ports import free_port
from harness.server import echo
from harness.wait import PATIENCE, eventually


class Ready:
    """A tunnel that keeps connections ready, and what its control socket says of them."""

    def __init__(self, start, pki, folder):
        self.start, self.pki, self.socket = start, pki, f"{folder}/c"

    def run(self, *servers, **keys):
        self.tunnel = self.start(self.config(*servers, **keys))
        return self.tunnel

    def config(self, *servers, options=None, **keys):
        return {"workers": 2, "control": self.socket, **(options or {}),
                "svc": {"accept": "127.0.0.1:0", "preconnect": 2,
                        "connect": [getattr(s, "address", s) for s in servers],
                        "tls": {"ca": str(self.pki.ca.file)}, **keys}}

    def ask(self, command, **fields):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(PATIENCE)
            control.connect(self.socket)
            control.sendall(json.dumps({"v": 1, "command": command, **fields}).encode() + b"\n")
            return json.loads(control.makefile().readline())

    def count(self):
        return self.ask("status")["status"]["services"][0]["preconnected"]

    def wait(self, count=2):
        eventually(lambda: self.count() == count, f"{count} connections are ready")


@pytest.fixture
def ready(start, pki, tmp_path):
    return Ready(start, pki, tmp_path)


def test_a_client_is_served_by_a_connection_that_was_there_before(ready, serve_tls):
    server = serve_tls(echo)
    tunnel = ready.run(server)
    ready.wait()
    for _ in range(3):
        client = tunnel.connect("svc")
        where = client.local_address
        expect.served_to_the_end(tunnel, client)
        closed = tunnel.closed(client=where)
        assert closed["kind"] == "ok" and closed["target"] == server.address
        assert closed["preconnected"] is True and closed["tries"] == 0
        assert closed["tls"].startswith("TLS1.3") and closed["tls_ms"] == -1
        ready.wait()


def test_a_server_that_is_not_whom_it_should_be_is_never_kept_ready(ready, serve_tls, pki):
    tunnel = ready.run(serve_tls(echo, identity=pki.wrong_name))
    tunnel.wait_for_event("ejected", kind="cert_name_mismatch")
    assert ready.count() == 0
    tunnel.connect("svc").expect_reset()


def test_a_greeting_is_kept_for_the_client(ready, serve_tls):
    def greets(peer):
        peer.send(b"220 at your service\r\n")
        echo(peer)

    tunnel = ready.run(serve_tls(greets))
    ready.wait()
    with tunnel.connect("svc") as client:
        assert client.recv_exact(21) == b"220 at your service\r\n"
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
    assert tunnel.closed()["preconnected"] is True


def test_one_that_has_died_unnoticed_costs_its_client_nothing(ready, serve_tls):
    """Server's ends and client come while the tunnel sleeps: it learns of all at once."""
    peers = []

    def remembered(peer):
        peers.append(peer)
        echo(peer)

    tunnel = ready.run(serve_tls(remembered))
    ready.wait()
    tunnel.signal(signal.SIGSTOP)
    for peer in list(peers):
        peer.sock.shutdown(socket.SHUT_RDWR)
    client = tunnel.connect("svc")
    client.send(b"x")
    tunnel.signal(signal.SIGCONT)
    assert client.recv_exact(1) == b"x"
    client.half_close()
    client.read_to_end()
    assert tunnel.closed()["kind"] == "ok"


@pytest.mark.parametrize("how", ["half_close", "fin", "reset"])
def test_one_that_ends_before_a_byte_has_passed_costs_its_client_nothing(ready, serve_tls, how):
    """Its server's end arrives after the client, and before anything that the client says."""
    peers, ends = queue.Queue(), threading.Event()

    def ends_the_first(peer):
        is_first = server.accepted == 1
        peers.put(peer)
        if not is_first:
            return echo(peer)
        assert ends.wait(PATIENCE)
        getattr(peer, how)()

    server = serve_tls(ends_the_first)
    tunnel = ready.run(server, preconnect=1, options={"workers": 1})
    ready.wait(1)
    peers.get(timeout=PATIENCE)
    client = tunnel.connect("svc")
    peers.get(timeout=PATIENCE)  # one is ready again: the first has been handed over
    ends.set()
    peers.get(timeout=PATIENCE)  # dialled once more
    closed = expect.served_to_the_end(tunnel, client)
    assert closed["tries"] == 1 and closed["preconnected"] is False


def test_what_is_ready_counts_for_limits_and_leaves_them_to_clients(ready, serve_tls):
    server = serve_tls(echo)
    tunnel = ready.run({"address": server.address, "max_connections": 3})
    ready.wait()
    clients = [tunnel.connect("svc") for _ in range(3)]
    for client in clients:
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
    assert ready.ask("status")["status"]["services"][0]["targets"][0]["connections"] == 3


def test_reload_drain_and_stop_know_what_is_ready(ready, serve_tls):
    first, second = serve_tls(echo), serve_tls(echo)
    tunnel = ready.run(first)
    ready.wait()
    tunnel.reload(ready.config(second))
    ready.wait()
    client = tunnel.connect("svc")
    client.send(b"x")
    assert client.recv_exact(1) == b"x"
    client.half_close()
    client.read_to_end()
    closed = tunnel.closed()
    assert closed["target"] == second.address and closed["preconnected"] is True
    tunnel.reload(ready.config(second, preconnect=0))
    ready.wait(0)
    tunnel.reload(ready.config(second))
    ready.wait()
    assert ready.ask("drain", service="svc")["ok"]
    ready.wait(0)
    tunnel.reload(ready.config(second, max_tries=2))
    assert ready.count() == 0
    assert tunnel.terminate() == 0


def test_a_dead_target_is_ejected_before_a_client_comes(ready, serve_tls):
    dead, alive = f"127.0.0.1:{free_port()}", serve_tls(echo)
    tunnel = ready.run(dead, alive, balance="first", health={"eject_time": "1h", "eject_max": "1h"})
    tunnel.wait_for_event("ejected", target=dead)
    ready.wait()
    with tunnel.connect("svc") as client:
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
    assert tunnel.closed()["target"] == alive.address


@pytest.mark.parametrize("layer", ["plain", "wire"])
def test_a_capture_of_the_network_sees_the_handshake(ready, serve_tls, tmp_path, layer):
    """Which it can only of a connection that was made for the client."""
    tunnel = ready.run(serve_tls(echo), capture={"file": str(tmp_path / "c.pcapng"), "layer": layer})
    ready.wait()
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert tunnel.closed()["preconnected"] is (layer == "plain")
