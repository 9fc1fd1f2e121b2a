# SPDX-License-Identifier: MIT
"""What a server sends after the handshake that is not data: alerts, KeyUpdates, HelloRequests, and
what no server may send. The worker goes on, and a target is not blamed for what is in order."""

import ssl

import pytest
from harness.crafted import ALERT, HANDSHAKE, CraftedWriter
from harness.programs import JavaServer, OpensslServer

V = ssl.TLSVersion
USER_CANCELED, CLOSE_NOTIFY = b"\x01\x5a", b"\x01\x00"


def crafted(serve_tls, folder, play):
    """A TLS 1.3 server that sends hand-made records: play(peer, writer)."""
    keylog = folder / "keys"
    return serve_tls(lambda peer: play(peer, CraftedWriter(peer, keylog)), tickets=0,
                     keylog=keylog, minimum=V.TLSv1_3)


def ticket(size):
    """The first bytes of a NewSessionTicket."""
    return b"\x04" + size.to_bytes(3, "big") + b"unfinished"


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                   "TLS_CHACHA20_POLY1305_SHA256"])
def test_empty_handshake_fragment_ends_one_connection_and_not_the_worker(relay, serve_tls, tmp_path,
                                                                          suite):
    def play(peer, writer):
        if peer.recv_exact(2) == b"go":
            writer.send(b"before")
            writer.send(ticket(100), kind=HANDSHAKE)
            writer.send(b"", kind=HANDSHAKE)
        else:
            writer.send(b"served")
        peer.read_to_end()

    tunnel = relay(crafted(serve_tls, tmp_path, play), tls={"ciphers": [suite]},
                   options={"workers": 1})
    client = tunnel.connect("svc")
    client.send(b"go")
    assert client.expect_reset() == b"before"
    closed = tunnel.closed()
    assert closed["kind"] == "tls_failed"
    assert "an empty fragment of a handshake message" in closed["msg"]
    other = tunnel.connect("svc")
    other.send(b"me")
    assert other.recv_exact(6) == b"served"


def test_user_canceled_before_close_notify_is_an_orderly_end(relay, serve_tls, tmp_path):
    def play(peer, writer):
        writer.send(b"all of it")
        writer.send(USER_CANCELED, kind=ALERT)
        writer.send(CLOSE_NOTIFY, kind=ALERT)
        assert peer.recv_exact(6) == b"thanks"

    server = crafted(serve_tls, tmp_path, play)
    tunnel = relay(server)
    client = tunnel.connect("svc")
    assert client.expect_eof() == b"all of it"
    client.send(b"thanks")
    client.half_close()
    server.wait_until_scripts_end()
    assert tunnel.closed()["kind"] == "ok"


def test_server_that_gives_up_idle_connections_as_java_does_is_not_blamed(relay, serve_tls,
                                                                          tmp_path):
    def play(peer, writer):
        writer.send(USER_CANCELED, kind=ALERT)
        writer.send(CLOSE_NOTIFY, kind=ALERT)
        peer.read_to_end()

    tunnel = relay(crafted(serve_tls, tmp_path, play))
    for i in range(8):
        client = tunnel.connect("svc")
        assert client.expect_eof() == b""
        client.half_close()
        assert tunnel.closed(i + 1)["kind"] == "ok"
    assert not tunnel.log.find("ejected")


def test_data_after_user_canceled_still_arrives(relay, serve_tls, tmp_path):
    def play(peer, writer):
        writer.send(USER_CANCELED, kind=ALERT)
        writer.send(b"after all")
        peer.read_to_end()

    assert relay(crafted(serve_tls, tmp_path, play)).connect("svc").recv_exact(9) == b"after all"


@pytest.mark.parametrize("number", [128, 200, 255])
def test_alert_of_an_unknown_number_is_told(relay, serve_tls, tmp_path, number):
    def play(peer, writer):
        writer.alert(number)
        peer.read_to_end()

    tunnel = relay(crafted(serve_tls, tmp_path, play))
    tunnel.connect("svc").expect_reset()
    closed = tunnel.closed()
    assert closed["kind"] == "tls_alert"
    assert f"with the alert number {number}" in closed["msg"]


def test_padding_does_not_hide_a_record_that_is_too_long(relay, serve_tls, tmp_path):
    def play(peer, writer):
        writer.send(b"x" * 10, padding=16384 - 10)
        writer.send(b"y", padding=16384)
        peer.read_to_end()

    tunnel = relay(crafted(serve_tls, tmp_path, play))
    assert tunnel.connect("svc").expect_reset() == b"x" * 10
    closed = tunnel.closed()
    assert closed["kind"] == "tls_failed"
    assert "more than 16384 bytes" in closed["msg"]


def test_many_key_updates_at_once(relay, serve_tls, tmp_path):
    def play(peer, writer):
        for i in range(100):
            writer.key_update(request_reply=i == 50)
        writer.send(b"down")
        assert peer.recv_exact(2) == b"up"

    server = crafted(serve_tls, tmp_path, play)
    client = relay(server).connect("svc")
    assert client.recv_exact(4) == b"down"
    client.send(b"up")
    server.wait_until_scripts_end()


@pytest.mark.needs("openssl")
def test_openssl_asks_for_a_renegotiation(relay, pki, tmp_path, keep):
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-tls1_2"))
    tunnel = relay(server)
    client = tunnel.connect("svc")
    client.send(b"first\n")
    server.wait_for_text("first")
    server.type("r\n")
    # It looks at its terminal before it looks at the network, as with its other commands.
    client.send(b"with r\n")
    server.wait_for_text("with r")
    server.type("to the client\n")
    assert client.recv_exact(14) == b"to the client\n"
    client.send(b"back\n")
    server.wait_for_text("back")
    client.half_close()
    closed = tunnel.closed()
    assert "asked for a TLS 1.2 renegotiation" in closed["msg"]
    assert not tunnel.log.find("ejected")


@pytest.mark.needs("java", "openssl")
@pytest.mark.parametrize("protocol", ["TLSv1.3", "TLSv1.2"])
def test_java_closes(relay, pki, tmp_path, keep, protocol):
    tunnel = relay(keep(JavaServer(tmp_path, pki.leaf(), protocol)))
    for i in range(3):
        client = tunnel.connect("svc")
        client.send(b"hello %d\nbye\n" % i)
        assert client.expect_eof() == b"you said hello %d\n" % i
        client.half_close()
        assert tunnel.closed(i + 1)["kind"] == "ok"
    assert not tunnel.log.find("ejected")
