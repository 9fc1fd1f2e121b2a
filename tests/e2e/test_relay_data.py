# SPDX-License-Identifier: MIT
"""Bytes come through as they were: protocol versions, record sizes, transports, settings of TLS."""

import os
import ssl
import struct
import threading

import pytest
from harness import expect, ports
from harness.crafted import HANDSHAKE, CraftedWriter
from harness.programs import GnutlsServer, OpensslServer
from harness.server import echo
from harness.wait import eventually

V = ssl.TLSVersion


@pytest.mark.parametrize("version, name", [(V.TLSv1_2, "1.2"), (V.TLSv1_3, "1.3")])
def test_server_of_one_version_only(relay, serve_tls, version, name):
    tunnel = relay(serve_tls(echo, minimum=version, maximum=version))
    closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"), payload=os.urandom(300_000))
    assert name in str(closed["tls"])


@pytest.mark.parametrize("version", [V.TLSv1_2, V.TLSv1_3])
def test_records_of_every_size(relay, serve_tls, version):
    sizes = [*range(1, 300), *range(1000, 16000, 997), *range(16300, 16385)]
    data = os.urandom(sum(sizes))

    def script(peer):
        at = 0
        for size in sizes:
            peer.send(data[at:at + size])
            at += size
        assert peer.recv_exact(len(data)) == data

    server = serve_tls(script, minimum=version, maximum=version)
    tunnel = relay(server)
    client = tunnel.connect("svc")
    assert client.recv_exact(len(data)) == data
    at = 0
    for size in sizes:
        client.send(data[at:at + size])
        at += size
    server.wait_until_scripts_end()


def test_both_directions_at_once(relay, serve_tls):
    size = 8 << 20
    up, down = os.urandom(size), os.urandom(size)

    def script(peer):
        # Records both ways interleave; one thread per direction would need two TLS objects.
        at = 0
        got = bytearray()
        while at < size or len(got) < size:
            if at < size:
                peer.send(down[at:at + 100_000])
                at += 100_000
            if len(got) < size:
                got += peer.recv(1 << 20)
        assert got == up

    server = serve_tls(script)
    client = relay(server).connect("svc")
    sender = threading.Thread(target=client.send, args=(up,))
    sender.start()
    assert client.recv_exact(size) == down
    sender.join()
    server.wait_until_scripts_end()


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_the_few_last_bytes_of_a_fast_transfer_arrive_while_both_sides_wait(relay, serve, serve_tls,
                                                                            tls):
    """Fast streams are read in large pieces only (SO_RCVLOWAT), which must not hold back the end."""
    piece, pieces, tails = os.urandom(1 << 20), 40, (1, 100, 70_000)

    def send(peer):
        for tail in tails:
            for _ in range(pieces):
                peer.send(piece)
            peer.send(piece[:tail])
            assert peer.recv_exact(1) == b"!"  # nothing follows until this tail is there

    def receive(peer):
        for tail in tails:
            for _ in range(pieces):
                assert peer.recv_exact(len(piece)) == piece
            assert peer.recv_exact(tail) == piece[:tail]
            peer.send(b"!")

    def script(peer):
        send(peer)
        receive(peer)

    server = serve_tls(script) if tls else serve(script)
    client = relay(server, tls=None if tls else False).connect("svc")
    receive(client)
    send(client)
    server.wait_until_scripts_end()


def crafted(serve_tls, folder, play):
    """A TLS 1.3 server that sends hand-made records: play(peer, writer)."""
    keylog = folder / "keys"
    return serve_tls(lambda peer: play(peer, CraftedWriter(peer, keylog)), tickets=0,
                     keylog=keylog, minimum=V.TLSv1_3)


def test_empty_and_padded_records(relay, serve_tls, tmp_path):
    def play(peer, writer):
        for i in range(20):
            writer.send(b"")
            writer.send(b"", padding=500)
            writer.send(b"%02d" % i, padding=i * 50)
        peer.read_to_end()

    tunnel = relay(crafted(serve_tls, tmp_path, play))
    assert tunnel.connect("svc").recv_exact(40) == b"".join(b"%02d" % i for i in range(20))


def test_key_updates(relay, serve_tls, tmp_path):
    def play(peer, writer):
        for i in range(6):
            writer.key_update(request_reply=i % 2 == 1)
            writer.send(b"round %d" % i)
            assert peer.recv_exact(7) == b"reply %d" % i

    server = crafted(serve_tls, tmp_path, play)
    client = relay(server).connect("svc")
    for i in range(6):
        assert client.recv_exact(7) == b"round %d" % i
        client.send(b"reply %d" % i)
    server.wait_until_scripts_end()


def test_tickets_between_the_data(relay, serve_tls, tmp_path):
    ticket = struct.pack("!IIB", 7200, 1, 1) + b"n" + struct.pack("!H", 32) + b"t" * 32 + b"\0\0"
    message = b"\x04" + len(ticket).to_bytes(3, "big") + ticket

    def play(peer, writer):
        for _ in range(3):
            writer.send(message, kind=HANDSHAKE)
            writer.send(b"data")
        assert peer.recv_exact(5) == b"reply"

    server = crafted(serve_tls, tmp_path, play)
    client = relay(server).connect("svc")
    assert client.recv_exact(12) == b"data" * 3
    client.send(b"reply")
    server.wait_until_scripts_end()


@pytest.mark.needs("openssl")
def test_openssl_key_update(relay, pki, tmp_path, keep):
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-tls1_3"))
    client = relay(server).connect("svc")
    client.send(b"to the server\n")
    server.wait_for_text("to the server")
    for command in ("K", "k"):
        server.type(f"{command}\n")
        # It takes what comes in one piece with a command for a part of it, and does not flush what
        # it says about it: but it looks at its terminal before it looks at the network.
        client.send(b"with %s\n" % command.encode())
        server.wait_for_text(f"with {command}")
        server.type(f"to the client after {command}\n")
        wanted = f"to the client after {command}\n".encode()
        assert client.recv_exact(len(wanted)) == wanted
        client.send(b"back after %s\n" % command.encode())
        server.wait_for_text(f"back after {command}")


@pytest.mark.needs("gnutls-serv")
@pytest.mark.parametrize("priority", ["NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                      "NORMAL:-VERS-ALL:+VERS-TLS1.2"])
def test_gnutls_server(relay, pki, tmp_path, keep, priority):
    server = keep(GnutlsServer(tmp_path, pki.leaf(), "--priority", priority))
    client = relay(server).connect("svc")
    for i in range(50):
        line = b"line %d\n" % i
        client.send(line)
        assert client.recv_exact(len(line)) == line


# Transports.

def test_plain_service_relays_tcp(relay, serve):
    tunnel = relay(serve(echo), tls=False)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"), payload=os.urandom(500_000))


@pytest.mark.parametrize("tls", [True, False])
def test_unix_socket_to_unix_socket(relay, pki, keep, serve, tmp_path, tls):
    from harness.server import TlsServer

    path = tmp_path / "target.sock"
    server = keep(TlsServer(echo, pki.context(), path=path)) if tls else serve(echo, path=path)
    tunnel = relay(server, accept=str(tmp_path / "in.sock"),
                   tls={"name": "server.test"} if tls else False)
    client = tunnel.connect("svc")
    data = os.urandom(500_000)
    sender = threading.Thread(target=client.send, args=(data,))
    sender.start()
    assert client.recv_exact(len(data)) == data
    sender.join()
    client.half_close()
    assert client.expect_eof() == b""
    assert tunnel.closed()["kind"] == "ok"


@pytest.mark.skipif(not ports.ipv6_works(), reason="no IPv6 on loopback")
def test_ipv6_both_sides(relay, serve_tls):
    tunnel = relay(serve_tls(echo, host="::1"), accept="[::1]:0")
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_source_address_of_outgoing_connections(relay, serve_tls):
    seen = []

    def script(peer):
        seen.append(peer.sock.getpeername()[0])
        echo(peer)

    tunnel = relay(serve_tls(script), bind="127.0.0.9")
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert seen == ["127.0.0.9"]


def test_services_do_not_mix(start, pki, serve_tls):
    config = {}
    for name in "abc":
        def script(peer, name=name):
            peer.send(name.encode())
            peer.half_close()
            peer.read_to_end()

        config[name] = {"accept": "127.0.0.1:0", "connect": serve_tls(script).address,
                        "tls": {"ca": pki.ca.file}}
    tunnel = start(config)
    for name in "cab":
        with tunnel.connect(name) as client:
            assert client.expect_eof() == name.encode()


def test_many_clients_at_once(relay, serve_tls):
    tunnel = relay(serve_tls(echo))
    clients = [tunnel.connect("svc") for _ in range(100)]
    for i, client in enumerate(clients):
        client.send(b"client %03d" % i)
    for i, client in enumerate(clients):
        assert client.recv_exact(10) == b"client %03d" % i
        client.close()
    tunnel.closed(count=100)
    assert len({e["conn"] for e in tunnel.log.find("closed")}) == 100


# Settings of TLS, as the server sees them.

@pytest.mark.parametrize("target, tls, seen", [
    ("server.test", {}, "server.test"),
    ("server.test", {"name": "localhost"}, "localhost"),
    ("server.test", {"sni": "front.test"}, "front.test"),
    ("server.test", {"sni": ""}, None),
    ("127.0.0.1", {}, None),
    ("127.0.0.1", {"name": "server.test"}, "server.test"),
])
def test_server_name_indication(relay, dns, pki, serve_tls, target, tls, seen):
    dns.set("server.test", "A", ["127.0.0.1"])
    asked = []
    server = serve_tls(echo)
    server.context.sni_callback = lambda _socket, name, _context: asked.append(name)
    tunnel = relay(f"{target}:{server.port}", tls=tls, options={"dns_servers": [dns.address]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert asked == [seen]


def test_alpn(relay, serve_tls):
    chosen = []

    def script(peer):
        chosen.append(peer.tls.selected_alpn_protocol())
        echo(peer)

    tunnel = relay(serve_tls(script, alpn=["second"]), tls={"alpn": ["first", "second"]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert chosen == ["second"]


@pytest.mark.parametrize("tls, suite", [
    ({"ciphers": ["TLS_AES_256_GCM_SHA384"]}, "TLS_AES_256_GCM_SHA384"),
    ({"ciphers": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"], "max_version": "1.2"},
     "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ({"groups": ["secp384r1"]}, None),
    ({"priority": "NORMAL:-VERS-ALL:+VERS-TLS1.2"}, None),
])
def test_ciphers_groups_and_priority(relay, serve_tls, tls, suite):
    chosen = []

    def script(peer):
        chosen.append(peer.tls.cipher()[0])
        echo(peer)

    tunnel = relay(serve_tls(script), tls=tls)
    closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    if suite:
        assert chosen == [suite]
    if "groups" in tls:
        assert "384" in str(closed["tls"])
    if "priority" in tls:
        assert "1.2" in str(closed["tls"])


@pytest.mark.parametrize("version", [V.TLSv1_2, V.TLSv1_3])
def test_sessions_are_resumed(relay, serve_tls, version):
    """With one worker, for tickets are kept by each worker for itself."""
    server = serve_tls(echo, minimum=version, maximum=version)
    tunnel = relay(server, options={"workers": 1})
    first = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    second = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert (first["resumed"], second["resumed"]) == (False, True)


def test_resumption_can_be_switched_off(relay, serve_tls):
    tunnel = relay(serve_tls(echo), tls={"resumption": False}, options={"workers": 1})
    for _ in range(2):
        assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["resumed"] is False


def test_key_log(relay, serve_tls, tmp_path):
    path = tmp_path / "keys.log"
    tunnel = relay(serve_tls(echo), tls={"keylog": path})
    warning = tunnel.log.wait_for(level="warning")
    assert "keylog" in warning["msg"] and "svc" in str(warning)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    eventually(lambda: path.exists() and "CLIENT_TRAFFIC_SECRET_0" in path.read_text(),
               "the key log has the secrets")
    assert path.stat().st_mode & 0o077 == 0, "secrets are for the owner only"


# Addresses of one name.

def test_next_address_is_tried_when_one_refuses(relay, dns, serve_tls):
    server = serve_tls(echo, host="127.0.0.3")
    dns.set("server.test", "A", ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    tunnel = relay(f"server.test:{server.port}", options={"dns_servers": [dns.address]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_next_address_is_tried_when_tls_fails(relay, dns, pki, serve_tls, serve):
    """A failure in any phase moves on; nothing of what the client has sent is lost."""
    good = serve_tls(echo, host="127.0.0.3")
    serve_tls(echo, pki.expired, host="127.0.0.1", port=good.port)
    serve(lambda peer: peer.send(b"220 not TLS\r\n"), host="127.0.0.2", port=good.port)
    dns.set("server.test", "A", ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    tunnel = relay(f"server.test:{good.port}", options={"dns_servers": [dns.address]})
    for _ in range(4):
        expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_all_addresses_of_the_name_refuse(relay, dns):
    port = ports.free_port()
    dns.set("server.test", "A", ["127.0.0.1", "127.0.0.2"])
    target = f"server.test:{port}"
    tunnel = relay(target, options={"dns_servers": [dns.address]})
    expect.failed_dial(tunnel, tunnel.connect("svc"), target, "connect_refused")
