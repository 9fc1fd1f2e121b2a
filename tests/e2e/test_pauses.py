# SPDX-License-Identifier: MIT
"""The process stands still for a while (SIGSTOP, a freezer, a migration), and deadlines meet."""

import signal
import socket
import threading
import time

import psutil
import pytest
from harness import expect
from harness.server import echo, silent
from harness.wait import PATIENCE, eventually


class Pause:
    """Stops the tunnel for the time of a `with` block."""

    def __init__(self, tunnel, seconds):
        self.tunnel, self.until = tunnel, time.monotonic() + seconds

    def __enter__(self):
        self.tunnel.signal(signal.SIGSTOP)
        eventually(lambda: self.tunnel.ps.status() == psutil.STATUS_STOPPED, "it stands still")

    def __exit__(self, *_):
        time.sleep(max(0, self.until - time.monotonic()))  # what is tested is the time itself
        self.tunnel.signal(signal.SIGCONT)


@pytest.mark.parametrize("limit", ["dial", "handshake"])
def test_a_server_closes_while_the_dial_runs_out_of_time_in_a_pause(relay, serve, limit):
    heard, let_go = [], threading.Event()

    def script(peer):
        heard.append(peer.recv())
        let_go.wait(PATIENCE)

    server = serve(script)
    tunnel = relay(server, timeouts={limit: "1s"})
    clients = [tunnel.connect("svc") for _ in range(3)]
    eventually(lambda: len(heard) == 3, "all shake hands")
    with Pause(tunnel, 1.5):
        let_go.set()
        server.wait_until_scripts_end()
    for client in clients:
        client.expect_reset()
    assert [e["kind"] for e in (tunnel.closed(n) for n in (1, 2, 3))] == ["tls_closed"] * 3
    assert tunnel.process.poll() is None


def test_a_server_that_answers_in_a_pause_is_in_time(relay, serve_tls):
    asked, go_on = threading.Event(), threading.Event()
    server = serve_tls(echo)
    handshake = server.wrap

    def late(sock):
        sock.recv(1, socket.MSG_PEEK)  # its ClientHello
        asked.set()
        return go_on.wait(PATIENCE) and handshake(sock)

    server.wrap = late
    tunnel = relay(server, timeouts={"handshake": "1s"})
    client = tunnel.connect("svc")
    assert asked.wait(PATIENCE)
    with Pause(tunnel, 1.5):
        go_on.set()
    expect.served(tunnel, client)


@pytest.mark.parametrize("over", [{}, {"tls": False}], ids=["tls", "plain"])
def test_bytes_that_came_in_a_pause_longer_than_idle_are_relayed(relay, serve_tls, serve, over):
    server = (serve if over else serve_tls)(echo)
    tunnel = relay(server, timeouts={"idle": "1s"}, **over)
    clients = [tunnel.connect("svc") for _ in range(3)]
    for client in clients:
        expect.served(tunnel, client)
    with Pause(tunnel, 2):
        for client in clients:
            client.send(b"while it stood still")
    for client in clients:
        assert client.recv_exact(20) == b"while it stood still"
    assert not tunnel.log.find("closed")


def test_a_connection_that_was_quiet_for_all_of_a_long_pause_is_idle(relay, serve_tls):
    tunnel = relay(serve_tls(echo), timeouts={"idle": "1s"})
    client = tunnel.connect("svc")
    expect.served(tunnel, client)
    with Pause(tunnel, 1.5):
        pass
    client.expect_reset()
    assert tunnel.closed()["kind"] == "idle_timeout"


def test_a_half_closed_connection_gets_the_answer_of_a_pause(relay, serve_tls):
    answer = threading.Event()

    def script(peer):
        question = peer.recv()
        answer.wait(PATIENCE)
        peer.send(question[::-1])
        peer.half_close()

    tunnel = relay(serve_tls(script), timeouts={"half_close": "1s"})
    client = tunnel.connect("svc")
    client.send(b"question")
    client.half_close()
    eventually(lambda: tunnel.log.find("listening"), "it runs")
    with Pause(tunnel, 2):
        answer.set()
    assert client.expect_eof() == b"noitseuq"


def test_a_check_that_was_answered_in_a_pause_has_passed(relay, serve):
    """One whose answer is all that is missing: what comes in one look at the socket decides."""
    asked, answer = threading.Event(), threading.Event()

    def script(peer):
        peer.recv()
        asked.set()
        answer.wait(PATIENCE)
        peer.send(b"+PONG\r\n+OK\r\n")  # to QUIT, too: nothing is left to wait for
        peer.read_to_end()

    server = serve(script)
    tunnel = relay(server, tls=False,
                   health={"check": "redis", "interval": "100ms", "timeout": "2s", "fall": 1})
    assert asked.wait(PATIENCE)
    with Pause(tunnel, 2.5):
        answer.set()
    server.wait_for_connections(2)
    assert not tunnel.log.find("ejected")


def test_frozen_servers_end_their_clients_and_nothing_else(relay, serve):
    """With all defaults, too, three times `handshake` is `dial`."""
    servers = [serve(silent) for _ in range(3)]
    tunnel = relay([s.address for s in servers],
                   timeouts={"handshake": "600ms", "dial": "1800ms"})
    for _ in range(3):
        clients = [tunnel.connect("svc") for _ in range(5)]
        for client in clients:
            client.expect_reset()
    assert tunnel.process.poll() is None
    assert tunnel.terminate() == 0
