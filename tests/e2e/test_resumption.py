# SPDX-License-Identifier: MIT
"""Session resumption, as other people's servers see it.

With several workers, which share their tickets: the connections of each test go from one to the
next.
"""

import ssl
import struct

import pytest
from harness import expect, intolerant
from harness.programs import Nginx, OpensslServer, missing
from harness.server import echo
from harness.stunnel import StunnelServer

pytestmark = pytest.mark.knows("tls.resumption")

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
WORKERS = {"workers": 3}
REUSED = "previous session reused"


def needs(*names):
    lacking = missing(*names)
    if lacking:
        pytest.skip(f"{lacking} is not installed")


@VERSIONS
def test_stunnel_server_says_that_it_reuses_the_session(relay, serve, keep, pki, tmp_path, version):
    needs("stunnel4")
    leaf = pki.leaf()
    server = keep(StunnelServer(
        tmp_path, f"[svc]\naccept = 127.0.0.1:0\nconnect = {serve(echo).address}\n"
        f"sslVersion = TLSv{version}\ncert = {leaf.chain_file}\nkey = {leaf.key_file}\n"))
    tunnel = relay(server, options=WORKERS)
    for number in range(4):
        closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
        assert closed["tls"].startswith(f"TLS{version}/")
        assert closed["resumed"] is (number > 0)
    server.wait_until(lambda: server.text().count(REUSED) >= 3, f"says {REUSED!r}")


def get(client):
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    text = client.read_to_end().data
    client.close()
    return text


@VERSIONS
def test_s_server_shows_the_reused_session(relay, keep, pki, tmp_path, version):
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-www", f"-tls{version.replace('.', '_')}"))
    tunnel = relay(server, options=WORKERS, on_truncation="eof")
    for number, word in enumerate((b"New, TLSv", b"Reused, TLSv", b"Reused, TLSv"), 1):
        assert word in get(tunnel.connect("svc"))
        assert tunnel.closed(count=number, service="svc")["resumed"] is (number > 1)


def test_nginx_resumes_connections_that_come_at_the_same_time(relay, keep, pki, tmp_path):
    needs("nginx")
    server = keep(Nginx(tmp_path, pki.leaf()))
    tunnel = relay(server, options=WORKERS)
    first = tunnel.connect("svc")
    assert b"pong" in get(first)
    clients = [tunnel.connect("svc") for _ in range(2)]
    names = [client.local_address for client in clients]
    for client in clients:
        assert b"pong" in get(client)
    for name in names:
        assert tunnel.closed(service="svc", client=name)["resumed"] is True


def test_server_that_was_restarted_gets_a_full_handshake(relay, serve_tls, pki):
    """It has other ticket keys: the ticket is offered, declined, and the connection goes on."""
    first = serve_tls(echo)
    tunnel = relay(first, options=WORKERS)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    port = int(first.address.rsplit(":", 1)[1])
    first.stop()
    serve_tls(echo, port=port)
    resumed = [expect.served_to_the_end(tunnel, tunnel.connect("svc"))["resumed"]
               for _ in range(2)]
    assert resumed == [False, True]
    assert not tunnel.log.find("dial_failed")


def test_checks_neither_use_nor_leave_tickets(relay, serve_tls):
    """However many checks pass, the first connection is a full handshake and the second is not."""
    server = serve_tls(echo)
    tunnel = relay(server, options=WORKERS, health={"check": "tls", "interval": "100ms"})
    server.wait_for_connections(3)
    resumed = [expect.served_to_the_end(tunnel, tunnel.connect("svc"))["resumed"]
               for _ in range(2)]
    assert resumed == [False, True]


# Servers that break off whenever a ticket is offered.

@pytest.fixture
def serve_intolerant(keep, pki):
    def serve_intolerant(refuse, script=echo, version="1.3", **options):
        pinned = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
        return keep(intolerant.IntolerantServer(
            script, pki.context(minimum=pinned, maximum=pinned), refuse, **options))

    return serve_intolerant


@VERSIONS
@pytest.mark.parametrize("refuse", [intolerant.alert, intolerant.reset, intolerant.close],
                         ids=lambda f: f.__name__)
def test_server_that_breaks_off_at_a_ticket_serves_every_client(relay, serve_intolerant, refuse,
                                                               version):
    """The second client brings a ticket: it is served by the same target all the same, and from then
    on nobody brings one."""
    server = serve_intolerant(refuse, version=version)
    tunnel = relay(server, options=WORKERS)
    for _ in range(6):
        closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
        assert (closed["resumed"], closed["tries"]) == (False, 1)
    assert server.refused == 1
    assert not tunnel.log.find("ejected") and not tunnel.log.find("dial_failed")


def test_handshake_without_the_ticket_does_not_eject_the_target(relay, serve_intolerant, serve_tls):
    """With another target at hand the client still gets the one that breaks off."""
    server, other = serve_intolerant(intolerant.alert), serve_tls(echo)
    tunnel = relay([server.address, other.address], balance="first", options=WORKERS)
    for _ in range(3):
        closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
        assert closed["target"] == server.address
    assert server.refused == 1 and other.accepted == 0


def test_second_failure_counts(relay, serve_intolerant, serve_tls):
    """The target breaks off without a ticket, too: it is ejected, and the client goes on."""
    server = serve_intolerant(intolerant.alert)
    other = serve_tls(echo)
    tunnel = relay([server.address, other.address], balance="first", options=WORKERS)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    server.is_broken = True
    closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert (closed["target"], closed["tries"]) == (other.address, 2)
    assert server.refused == 2, "with the ticket, and without"
    assert tunnel.wait_for_event("ejected", target=server.address)["kind"] == "tls_alert"


def test_server_that_hangs_at_a_ticket_costs_one_timeout(relay, serve_intolerant, serve_tls):
    """No time is left for another attempt; but the next connections do without a ticket."""
    server, other = serve_intolerant(intolerant.silence), serve_tls(echo)
    tunnel = relay([server.address, other.address], balance="first", options=WORKERS,
                   timeouts={"handshake": "3s"}, health={"eject_time": "0s"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["target"] == other.address
    for _ in range(3):
        closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
        assert closed["target"] == server.address
    assert server.refused == 1


def test_certificate_that_changed_for_the_worse_is_not_dialled_twice(relay, serve_tls, pki):
    """The server has declined the ticket and shown what is wrong: there is nothing to try again."""
    first = serve_tls(echo)
    tunnel = relay(first, options=WORKERS)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    port = first.port
    first.stop()
    worse = serve_tls(echo, pki.expired, port=port)
    tunnel.connect("svc").expect_reset()
    assert tunnel.closed(2)["kind"] == "cert_expired"
    assert worse.accepted == 1


def smtp(peer):
    peer.send(b"220 one.test ESMTP\r\n")
    assert peer.recv().startswith(b"EHLO ")
    peer.send(b"250-one.test\r\n250 STARTTLS\r\n")
    assert peer.recv() == b"STARTTLS\r\n"
    peer.send(b"220 go ahead\r\n")


def test_what_comes_before_tls_is_said_again(relay, serve_intolerant):
    server = serve_intolerant(intolerant.alert, before=smtp)
    tunnel = relay(server, options=WORKERS, starttls="smtp")
    for _ in range(4):
        client = tunnel.connect("svc")
        assert client.recv_exact(20) == b"220 one.test ESMTP\r\n"
        expect.served(tunnel, client)
        client.close()
    assert server.refused == 1
    assert server.accepted == 5


def mysql(peer):
    """The greeting of a server that offers TLS, and the request for it."""
    capabilities = 0x200 | 0x800 | 0x8000 | 0x80000
    greeting = (b"\x0a8.0.0\0" + bytes(4) + b"saltsalt\0" +
                struct.pack("<HBHHB", capabilities & 0xffff, 33, 2, capabilities >> 16, 21) +
                bytes(10) + b"saltsaltsalt\0mysql_native_password\0")
    peer.send(struct.pack("<I", len(greeting)) + greeting)
    peer.recv_exact(36)


def test_mysql_client_that_has_seen_a_greeting_cannot_have_another(relay, serve_intolerant):
    """Its connection is lost; but the target is not blamed, and the next clients are served."""
    login = struct.pack("<IIB23s", 0x200 | 0x8000 | 0x80000, 1 << 24, 33, b"") + (
        b"joe\0\0mysql_native_password\0")
    ok = b"\0\0\0\x02\0\0\0"

    def script(peer):
        assert peer.recv_exact(4 + len(login))[3] == 2
        peer.send(struct.pack("<I", len(ok) | 3 << 24) + ok)
        peer.read_to_end()

    server = serve_intolerant(intolerant.alert, script=script, before=mysql)
    tunnel = relay(server, options=WORKERS, starttls="mysql")

    def log_in():
        client = tunnel.connect("svc")
        size = struct.unpack("<I", client.recv_exact(3) + b"\0")[0]
        client.recv_exact(1 + size)
        client.send(struct.pack("<I", len(login) | 1 << 24) + login)
        return client

    def is_in(client):
        answer = client.recv_exact(4 + len(ok))
        client.close()
        return answer == struct.pack("<I", len(ok) | 2 << 24) + ok

    assert is_in(log_in())
    log_in().expect_reset()
    assert tunnel.closed(kind="tls_alert")
    for _ in range(3):
        assert is_in(log_in())
    assert server.refused == 1
    assert not tunnel.log.find("ejected")


def test_other_addresses_are_left_when_the_one_of_the_broken_handshake_goes(
        relay, dns, serve_tls, serve_intolerant):
    """The server breaks off at the ticket, and refuses the connection without it."""

    def leave(sock):
        first.stop_listening()
        intolerant.alert(sock)

    first = serve_intolerant(leave)
    second = serve_tls(echo, host="127.0.0.2", port=first.port)
    dns.set("server.test", "A", ["127.0.0.1", "127.0.0.2"])
    tunnel = relay(f"server.test:{first.port}",
                   options={**WORKERS, "dns_servers": [dns.address]})
    for _ in range(2):
        assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["tries"] == 1
    assert (first.refused, second.accepted) == (1, 1)
    assert not tunnel.log.find("ejected")
