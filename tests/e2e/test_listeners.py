# SPDX-License-Identifier: MIT
"""Where the tunnel listens: every form of `accept`, its limits, and what cannot be bound."""

import os
import pwd
import select
import socket
import stat

import psutil
import pytest
from harness import expect, ports
from harness.peer import Peer
from harness.server import echo, silent
from harness.wait import PATIENCE, eventually

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_ipv6 = pytest.mark.skipif(not ports.ipv6_works(), reason="no IPv6 on loopback")


@pytest.fixture
def plain(serve):
    return serve(echo)


@pytest.fixture
def listen(relay, plain):
    """listen(accept, **keys): a plain service in front of an echo server."""
    return lambda accept, **keys: relay(plain, tls=False, accept=accept, **keys)


def echoes(address):
    with Peer.connect(address) as client:
        client.send(b"hello")
        return client.recv_exact(5) == b"hello"


def test_port_zero_is_replaced_by_a_real_one(listen):
    tunnel = listen("127.0.0.1:0")
    host, port = ports.parse(tunnel.address("svc"))
    assert host == "127.0.0.1" and port > 0
    assert echoes(tunnel.address("svc"))


def test_ready_comes_once_and_after_all_listeners(start, plain):
    services = {f"s{i}": {"accept": ["127.0.0.1:0", "127.0.0.1:0"], "connect": plain.address,
                          "tls": False} for i in range(3)}
    tunnel = start(services)
    words = [e["event"] for e in tunnel.log.events]
    assert words.count("ready") == 1
    assert words[:words.index("ready")].count("listening") == 6
    for name in services:
        assert len(tunnel.addresses(name)) == 2
        assert all(echoes(a) for a in tunnel.addresses(name))


@needs_ipv6
def test_ipv6_loopback(listen):
    tunnel = listen("[::1]:0")
    assert tunnel.address("svc").startswith("[::1]:")
    assert echoes(tunnel.address("svc"))


@needs_ipv6
@pytest.mark.parametrize("as_text", [True, False], ids=["text", "integer"])
def test_bare_port_is_loopback_in_both_families(listen, as_text):
    port = ports.free_port()
    tunnel = listen(str(port) if as_text else port)
    assert echoes(f"127.0.0.1:{port}") and echoes(f"[::1]:{port}")
    assert sorted(tunnel.addresses("svc")) == sorted([f"127.0.0.1:{port}", f"[::1]:{port}"])


@needs_ipv6
def test_star_is_every_address(listen):
    port = ports.free_port()
    listen(f"*:{port}", allow_remote=True)
    assert echoes(f"127.0.0.1:{port}") and echoes(f"[::1]:{port}") and echoes(f"127.0.0.5:{port}")


def test_several_addresses(listen, tmp_path):
    tunnel = listen(["127.0.0.1:0", "127.0.0.2:0", str(tmp_path / "in.sock")])
    assert len(tunnel.addresses("svc")) == 3
    assert all(echoes(a) for a in tunnel.addresses("svc"))


@pytest.mark.parametrize("accept", ["0.0.0.0:0", "*:3890", "192.0.2.1:3890", "[::]:3890"])
def test_addresses_that_others_reach_need_allow_remote(run, plain, accept):
    done = run(config={"foreground": True, "svc": {"accept": accept, "connect": plain.address,
                                                  "tls": False}})
    assert done.returncode == 2
    assert "allow_remote" in done.stderr


def test_port_in_use_names_the_address_and_starts_nothing(run, plain, tmp_path):
    taken = plain.address
    free = f"127.0.0.1:{ports.free_port()}"
    path = tmp_path / "in.sock"
    service = {"connect": "127.0.0.1:1", "tls": False}
    done = run(config={"foreground": True, "pid_file": tmp_path / "pid",
                       "first": {**service, "accept": [free, str(path)]},
                       "second": {**service, "accept": taken}})
    assert done.returncode == 1
    assert taken in done.stderr and "already" in done.stderr
    assert "listening on" not in done.stderr
    assert not ports.is_open(*ports.parse(free))
    assert not path.exists()
    assert not (tmp_path / "pid").exists()


def test_privileged_or_foreign_address_names_the_address(run):
    done = run(config={"foreground": True, "svc": {
        "accept": "198.51.100.7:389", "allow_remote": True, "connect": "127.0.0.1:1"}})
    assert done.returncode == 1
    assert "198.51.100.7:389" in done.stderr


def test_restart_at_once_on_the_same_port(listen):
    """Connections in TIME_WAIT do not keep the port."""
    port = ports.free_port()
    tunnel = listen(f"127.0.0.1:{port}")
    with tunnel.connect("svc") as client:
        expect.served(tunnel, client)
        tunnel.stop()
    again = listen(f"127.0.0.1:{port}")
    assert echoes(again.address("svc"))


# Unix sockets.

def test_unix_socket_is_private_and_goes_with_the_process(listen, tmp_path):
    path = tmp_path / "in.sock"
    tunnel = listen(str(path))
    assert tunnel.address("svc") == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert echoes(path)
    assert tunnel.terminate() == 0
    assert not path.exists()


def test_unix_mode(listen, tmp_path):
    path = tmp_path / "in.sock"
    listen(str(path), unix_mode="0666")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666


@root_only
def test_unix_owner(listen, tmp_path):
    path = tmp_path / "in.sock"
    listen(str(path), unix_mode="0660", unix_owner="nobody:nogroup")
    nobody = pwd.getpwnam("nobody")
    assert (path.stat().st_uid, path.stat().st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_relative_socket_path_is_relative_to_the_file(listen, tmp_path):
    listen("./in.sock")
    assert echoes(tmp_path / "in.sock")


def test_stale_socket_file_is_replaced(listen, tmp_path):
    path = tmp_path / "in.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    listen(str(path))
    assert echoes(path)


def test_live_socket_file_is_an_error(run, serve, tmp_path):
    path = tmp_path / "in.sock"
    owner = serve(echo, path=path)
    done = run(config={"foreground": True, "svc": {"accept": str(path), "tls": False,
                                                  "connect": "127.0.0.1:1"}})
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert echoes(owner.address), "the other one's socket is still there"


def test_ordinary_file_is_never_replaced(run, tmp_path):
    path = tmp_path / "in.sock"
    path.write_text("precious")
    done = run(config={"foreground": True, "svc": {"accept": str(path), "tls": False,
                                                  "connect": "127.0.0.1:1"}})
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert path.read_text() == "precious"


# Limits.

def test_connections_beyond_the_limit_wait_unaccepted(relay, serve):
    server = serve(echo)
    tunnel = relay(server, tls=False, max_connections=2)
    first, second = tunnel.connect("svc"), tunnel.connect("svc")
    expect.served(tunnel, first)
    expect.served(tunnel, second)
    third = tunnel.connect("svc")
    third.send(b"patience")
    for _ in range(10):
        expect.served(tunnel, first)
        expect.served(tunnel, second)
    assert server.accepted == 2
    second.close()
    assert third.recv_exact(8) == b"patience"
    assert server.accepted == 3


def test_limit_of_one_service_is_not_the_others(start, serve):
    server = serve(echo)
    service = {"accept": "127.0.0.1:0", "connect": server.address, "tls": False}
    tunnel = start({"small": {**service, "max_connections": 1}, "large": service})
    with tunnel.connect("small") as one:
        expect.served(tunnel, one)
        with tunnel.connect("small"), tunnel.connect("large") as other:
            expect.served(tunnel, other)


def test_allow_lets_networks_in(listen):
    tunnel = listen("127.0.0.1:0", allow=["127.0.0.0/8"])
    assert echoes(tunnel.address("svc"))


def test_a_client_that_is_reset_at_once_has_been_connected(relay, listen):
    """connect(2) itself must not see the reset: nobody would know that the tunnel was reached."""
    denying = listen("127.0.0.1:0", allow=["192.0.2.0/24"])
    failing = relay("/nonexistent/backend.sock", tls=False)
    for tunnel, kind in ((denying, "client_denied"), (failing, "connect_refused")):
        where = ports.parse(tunnel.address("svc"))
        for _ in range(50):
            with socket.socket() as client:
                client.settimeout(PATIENCE)
                client.connect(where)
                with pytest.raises(ConnectionResetError):
                    client.recv(1)
        assert len(tunnel.log.find("closed", kind=kind)) >= 49


@pytest.mark.needs("prlimit")
def test_few_descriptors_are_mostly_for_connections(relay, serve):
    tunnel = relay(serve(echo), tls=False, prefix=["prlimit", "--nofile=34:34", "--"])
    clients = [tunnel.connect("svc") for _ in range(4)]
    for _ in range(2):
        for client in clients:
            expect.served(tunnel, client)


@pytest.mark.needs("prlimit")
@pytest.mark.parametrize("limit, workers", [(8, 2), (24, 2), (31, 1), (40, 16)])
def test_too_few_descriptors_to_begin_are_said(start, limit, workers):
    tunnel = start({"workers": workers, "svc": {"accept": "127.0.0.1:0", "connect": "127.0.0.1:9"}},
                   wait_ready=False, prefix=["prlimit", f"--nofile={limit}:{limit}", "--"])
    assert tunnel.wait_for_exit() == 1, "not killed by a signal of its own"
    assert "open files" in tunnel.log.text() and "LimitNOFILE=" in tunnel.log.text()


@pytest.mark.needs("prlimit")
def test_running_out_of_descriptors_pauses_accepting_only(relay, serve, tmp_path):
    server = serve(echo)
    tunnel = relay(server, tls=False, options={"workers": 1},
                   prefix=["prlimit", "--nofile=64:64", "--"])
    room = (64 - tunnel.ps.num_fds()) // 2  # of which it keeps some for itself
    clients, served = [], []
    # Far more than fit. Each is served, or waits in the backlog, or is reset for want of a socket
    # to its target; those that are served stay so.
    for _ in range(60):
        clients.append(tunnel.connect("svc"))
        clients[-1].send(b"x")
    eventually(lambda: tunnel.log.find(level=lambda l: l in ("warning", "error"),
                                       msg=lambda m: "descriptor" in m or "open files" in m),
               "the log says that descriptors ran out")
    waiting = list(clients)

    def enough_are_served():
        ready, _, _ = select.select([client.sock for client in waiting], [], [], 0)
        for client in [client for client in waiting if client.sock in ready]:
            waiting.remove(client)
            try:
                if client.recv(1) == b"x":
                    served.append(client)
            except ConnectionResetError:
                pass
        return len(served) >= room // 3

    eventually(enough_are_served, lambda: f"{len(served)} are served, with room for {room}")
    for client in served:
        expect.served(tunnel, client)
    lines = tunnel.log.find(msg=lambda m: "descriptor" in m or "open files" in m)
    pauses = [e for e in lines if e["event"] == "notice"]
    assert len(pauses) <= 5, "the log is not flooded"
    for client in clients:
        client.close()
    eventually(lambda: echoes_quietly(tunnel.address("svc")), "it accepts again")


def echoes_quietly(address):
    try:
        return echoes(address)
    except (ConnectionResetError, BrokenPipeError, AssertionError, TimeoutError):
        return False


def test_soft_limit_of_descriptors_is_raised(relay, serve):
    tunnel = relay(serve(silent), tls=False, prefix=["prlimit", "--nofile=100:4000", "--"])
    assert tunnel.ps.rlimit(psutil.RLIMIT_NOFILE) == (4000, 4000)


@pytest.mark.parametrize("count", [1, 3])
def test_workers(relay, serve, count):
    tunnel = relay(serve(echo), tls=False, options={"workers": count})
    clients = [tunnel.connect("svc") for _ in range(10)]
    for client in clients:
        expect.served(tunnel, client)
    assert tunnel.ps.num_threads() >= count
