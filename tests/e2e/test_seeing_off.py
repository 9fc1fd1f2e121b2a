# SPDX-License-Identifier: MIT
"""What becomes of open connections when their target is found dead, or a better one is back."""

import signal
import time

import pytest
from harness import expect
from harness.ports import free_port
from harness.server import echo
from harness.slapd import Slapd
from harness.wait import eventually

WORKERS = {"workers": 3}
CHECKS = {"check": "tls", "interval": "100ms", "timeout": "2s", "fall": 1, "rise": 1,
          "eject_time": "1s"}
BIND = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"  # anonymous
BOUND = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"


def first_of(relay, servers, **keys):
    """A tunnel to groups of one target each."""
    return relay([[getattr(server, "address", server)] for server in servers], options=WORKERS,
                 **keys)


def served_by(tunnel, server, count):
    """So many connections that have been used and are idle."""
    clients = [tunnel.connect("svc") for _ in range(count)]
    for client in clients:
        expect.served(tunnel, client)
    server.wait_for_connections(count)
    return clients


def slow(peer):
    """Answers `ask` only after the server was told to."""
    while data := peer.recv():
        if data == b"ask":
            eventually(lambda: slow.may_answer, "the answer is due")
        peer.send(data)
    peer.half_close()


@pytest.fixture
def slow_server(serve_tls):
    slow.may_answer = False
    yield serve_tls(slow)
    slow.may_answer = True


@pytest.mark.needs("slapd")
def test_idle_pool_of_a_frozen_directory_is_closed_and_comes_back_elsewhere(relay, pki, keep,
                                                                           tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    first, second = (keep(Slapd(folder, pki.leaf(), people=1)) for folder in folders)
    tunnel = first_of(relay, [first.tls_address, second.tls_address], balance_back="close-idle",
                      health={**CHECKS, "check": "ldap", "on_ejected": "close-idle"})

    def pool(count=10):
        clients = [tunnel.connect("svc") for _ in range(count)]
        for client in clients:
            client.send(BIND)
            assert client.recv_exact(len(BOUND)) == BOUND
        return clients

    clients = pool()
    first.background.process.send_signal(signal.SIGSTOP)
    for client in clients:
        assert client.expect_eof() == b""
    for number in range(1, 11):
        closed = tunnel.closed(number, target=first.tls_address)
        assert (closed["kind"], closed["side"]) == ("ok", "tunnel")
        assert "closed while idle" in closed["msg"] and "on_ejected" in closed["msg"]

    clients = pool()
    first.background.process.send_signal(signal.SIGCONT)
    for client in clients:
        assert client.expect_eof() == b""
    for number in range(1, 11):
        closed = tunnel.closed(number, target=second.tls_address)
        assert (closed["kind"], closed["side"]) == ("ok", "tunnel")
        assert "closed while idle" in closed["msg"] and "balance_back" in closed["msg"]
    for client in pool(3):
        client.close()
    assert tunnel.closed(11, target=first.tls_address)


def test_server_sees_close_notify_when_an_idle_connection_is_closed(relay, serve_tls):
    ends = []

    def script(peer):
        peer.send(peer.recv())
        ends.append(peer.read_to_end().how)

    server = serve_tls(script)
    tunnel = first_of(relay, [server, serve_tls(echo)],
                      health={**CHECKS, "on_ejected": "close-idle"})
    client = tunnel.connect("svc")
    expect.served(tunnel, client)
    server.stop_listening()
    assert client.expect_eof() == b""
    eventually(lambda: "close_notify" in ends, "the server reads close_notify")


def test_busy_connection_is_closed_when_its_answer_has_come(relay, slow_server, serve_tls):
    tunnel = first_of(relay, [slow_server, serve_tls(echo)],
                      health={**CHECKS, "on_ejected": "close-idle"})
    busy, idle = tunnel.connect("svc"), tunnel.connect("svc")
    expect.served(tunnel, idle)
    busy.send(b"ask")
    slow_server.stop_listening()
    assert idle.expect_eof() == b""
    slow.may_answer = True
    assert busy.expect_eof() == b"ask"
    assert tunnel.closed(2)["kind"] == "ok"


def test_connection_stays_when_the_target_is_back_before_it_was_idle(relay, slow_server, serve_tls):
    tunnel = first_of(relay, [slow_server, serve_tls(echo)],
                      health={**CHECKS, "on_ejected": "close-idle"})
    busy = tunnel.connect("svc")
    busy.send(b"ask")
    address, port = slow_server.address, slow_server.port
    slow_server.stop_listening()
    tunnel.wait_for_event("ejected", target=address)
    serve_tls(echo, port=port)
    tunnel.wait_for_event("restored", target=address)
    slow.may_answer = True
    assert busy.recv_exact(3) == b"ask"
    time.sleep(3)  # longer than an idle connection would have had
    expect.served(tunnel, busy)


def test_close_resets_every_connection_of_a_dead_target_and_no_other(relay, slow_server, serve_tls):
    other = serve_tls(echo)
    tunnel = relay([slow_server.address, other.address], options=WORKERS,
                   health={**CHECKS, "on_ejected": "close"})
    clients = [tunnel.connect("svc") for _ in range(8)]
    for client in clients:
        expect.served(tunnel, client)
    clients[0].send(b"ask")
    slow_server.stop_listening()
    for number in range(1, 5):
        closed = tunnel.closed(number)
        assert (closed["kind"], closed["side"]) == ("connection_lost", "tunnel")
        assert closed["target"] == tunnel.wait_for_event("ejected")["target"]
        assert "on_ejected" in closed["msg"]
    lost = 0
    for client in clients:
        try:
            client.send(b"still there?")
            if client.recv() == b"still there?":
                continue
        except (ConnectionResetError, BrokenPipeError):
            lost += 1
    assert lost == 4


def test_connections_are_kept_unless_asked(relay, serve_tls):
    server = serve_tls(echo)
    tunnel = first_of(relay, [server, serve_tls(echo)], health=CHECKS)
    [client] = served_by(tunnel, server, 1)
    server.stop_listening()
    tunnel.wait_for_event("ejected")
    expect.served(tunnel, client)


def test_clients_come_home_when_a_dial_finds_the_earlier_group_back(relay, serve_tls):
    """Without checks: one client is the trial, and the others follow."""
    port = free_port()
    backup = serve_tls(echo)
    tunnel = first_of(relay, [f"127.0.0.1:{port}", backup], balance_back="close-idle",
                      health={"eject_time": "100ms", "eject_max": "100ms"})
    clients = served_by(tunnel, backup, 6)
    home = serve_tls(echo, port=port)

    def is_home():
        expect.served_to_the_end(tunnel, tunnel.connect("svc"))
        return tunnel.log.find("closed", target=home.address)

    eventually(is_home, "the earlier group has its trial")
    for client in clients:
        assert client.expect_eof() == b""
    eventually(lambda: sum("balance_back" in e["msg"] for e in
                           tunnel.log.find("closed", target=backup.address)) == 6,
               "the log says why")


# max_tries

@pytest.mark.parametrize("most, is_served", [(1, False), (2, True)])
def test_no_more_targets_are_dialled_than_max_tries_says(relay, serve_tls, most, is_served):
    dead, good = f"127.0.0.1:{free_port()}", serve_tls(echo)
    tunnel = first_of(relay, [dead, good], max_tries=most)
    client = tunnel.connect("svc")
    if is_served:
        assert expect.served_to_the_end(tunnel, client)["tries"] == 2
        return
    closed = expect.failed_dial(tunnel, client, dead, "connect_refused", "max_tries")
    assert closed["tries"] == 1
    assert good.accepted == 0
    # The first target is ejected now.
    assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["tries"] == 1
