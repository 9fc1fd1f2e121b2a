# SPDX-License-Identifier: MIT
"""Options of sockets, asked back from the kernel."""

import contextlib
import socket

import pytest
from harness.borrowed import sockets_of
from harness.server import Server, echo


@pytest.fixture
def sockets(stack):
    """sockets(tunnel, server) gives the tunnel's listening, client's and target's socket."""

    def sockets(tunnel, server):
        found = {}
        for sock in sockets_of(tunnel.pid):
            stack.enter_context(contextlib.closing(sock))
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found["listen"] = sock
                continue
            with contextlib.suppress(OSError):
                is_target = sock.getpeername()[1] == server.port
                found["target" if is_target else "client"] = sock
        return found

    return sockets


def connected(tunnel):
    client = tunnel.connect("svc")
    client.send(b"x")
    assert client.recv() == b"x"
    return client


def option(sock, level, name):
    return sock.getsockopt(level, getattr(socket, name))


def test_options_are_set_on_all_three_kinds_of_sockets(relay, serve, sockets):
    server = serve(echo)
    tunnel = relay(server, tls=False, socket_options={
        "listen": {"SO_RCVBUF": 30000, "SO_KEEPALIVE": True},
        "client": {"SO_SNDBUF": 40000, "IP_TOS": 8, "SO_OOBINLINE": "yes"},
        "target": {"SO_RCVBUF": 50000, "IP_TTL": 7, "TCP_MAXSEG": 1000,
                   "SO_RCVTIMEO": "5:0", "SO_BINDTODEVICE": "lo"}})
    with connected(tunnel).sock:
        found = sockets(tunnel, server)
        assert option(found["listen"], socket.SOL_SOCKET, "SO_RCVBUF") == 60000
        assert option(found["listen"], socket.SOL_SOCKET, "SO_KEEPALIVE") == 1
        assert option(found["client"], socket.SOL_SOCKET, "SO_SNDBUF") == 80000
        assert option(found["client"], socket.IPPROTO_IP, "IP_TOS") == 8
        assert option(found["client"], socket.SOL_SOCKET, "SO_OOBINLINE") == 1
        target = found["target"]
        assert option(target, socket.SOL_SOCKET, "SO_RCVBUF") == 100000
        assert option(target, socket.IPPROTO_IP, "IP_TTL") == 7
        # Without timestamps (12 bytes of every segment), which MSS does not count.
        assert option(target, socket.IPPROTO_TCP, "TCP_MAXSEG") in (1000, 988)
        assert target.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    assert not tunnel.log.find(level="warning")


def test_options_win_over_what_the_tunnel_sets_by_itself(relay, serve, sockets):
    server = serve(echo)
    options = {"TCP_NODELAY": False, "TCP_KEEPIDLE": 33, "SO_KEEPALIVE": 0}
    tunnel = relay(server, tls=False, socket_options={"client": options, "target": options})
    with connected(tunnel).sock:
        found = sockets(tunnel, server)
        for side in ("client", "target"):
            assert option(found[side], socket.IPPROTO_TCP, "TCP_NODELAY") == 0
            assert option(found[side], socket.IPPROTO_TCP, "TCP_KEEPIDLE") == 33
            assert option(found[side], socket.SOL_SOCKET, "SO_KEEPALIVE") == 0
            assert option(found[side], socket.IPPROTO_TCP, "TCP_KEEPINTVL") == 10


def test_options_of_ip_mean_the_traffic_class_on_ipv6(relay, keep, sockets):
    server = keep(Server(echo, host="::1"))
    tunnel = relay(server, tls=False, socket_options={"target": {"IP_TOS": 16, "IP_TTL": 9}})
    with connected(tunnel).sock:
        target = sockets(tunnel, server)["target"]
        assert option(target, socket.IPPROTO_IPV6, "IPV6_TCLASS") == 16
        assert option(target, socket.IPPROTO_IPV6, "IPV6_UNICAST_HOPS") == 9


def test_a_listening_socket_without_its_option_is_an_error(run, serve):
    done = run("-f", config={"svc": {
        "accept": "127.0.0.1:0", "connect": serve(echo).address, "tls": False,
        "socket_options": {"listen": {"SO_BINDTODEVICE": "no-such-device"}}}})
    assert done.returncode == 1
    assert "[svc] cannot listen on 127.0.0.1:0: socket_options.listen: cannot set " \
           "SO_BINDTODEVICE = \"no-such-device\": No such device" in done.stderr


def test_a_connection_without_its_option_is_served_with_one_warning(relay, serve):
    tunnel = relay(serve(echo), tls=False, options={"workers": 1}, socket_options={
        "client": {"SO_SNDLOWAT": 7}, "target": {"SO_BINDTODEVICE": "no-such-device"}})
    for _ in range(3):
        connected(tunnel).sock.close()
    tunnel.closed(3)
    warnings = [e["msg"] for e in tunnel.log.find(level="warning")]
    assert warnings == [
        "socket_options.client: cannot set SO_SNDLOWAT = 7: Protocol not available",
        "socket_options.target: cannot set SO_BINDTODEVICE = \"no-such-device\": No such device"]


def test_unix_sockets_skip_the_options_of_ip(relay, keep, tmp_path):
    server = keep(Server(echo, path=tmp_path / "target.sock"))
    options = {"TCP_NODELAY": True, "IP_TOS": 8, "SO_BINDTODEVICE": "lo", "SO_SNDBUF": 40000}
    tunnel = relay(server, tls=False, accept=str(tmp_path / "in.sock"),
                   socket_options={"listen": options, "client": options, "target": options})
    connected(tunnel).sock.close()
    tunnel.closed()
    assert not tunnel.log.find(level="warning")


@pytest.mark.parametrize("lingering", ["1:0", "1:5"])
def test_lingering_does_not_change_how_connections_end(relay, serve, lingering):
    """A zero linger would cut a slow reader's last bytes off; another would stop the worker."""
    data = b"z" * (4 << 20)

    def script(peer):
        peer.send(data)
        peer.half_close()
        peer.read_to_end()

    options = {"SO_LINGER": lingering}
    tunnel = relay(serve(script), tls=False, socket_options={"client": options, "target": options})
    client = tunnel.connect("svc")
    client.half_close()
    assert client.read_to_end().data == data
    assert tunnel.closed()["kind"] == "ok"
    assert any("SO_LINGER is not set" in e["msg"] for e in tunnel.log.find(level="warning"))
