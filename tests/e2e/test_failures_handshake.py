# SPDX-License-Identifier: MIT
"""The failure table, second part: connected, but the handshake fails for what the server says or
does not say. Certificates have a file of their own."""

import random
import re
import ssl
import struct

import pytest
from harness import expect
from harness.programs import OpensslServer
from harness.server import echo, silent
from harness.slapd import Slapd

V = ssl.TLSVersion


def alert(code):
    return struct.pack("!BHHBB", 21, 0x0303, 2, 2, code)


def says_first(text):
    def script(peer):
        peer.send(text)
        peer.read_to_end()

    return script


def answers(text):
    """Waits for the ClientHello, answers, and listens on."""

    def script(peer):
        assert peer.recv()
        peer.send(text)
        peer.read_to_end()

    return script


@pytest.mark.parametrize("script, hints", [
    (says_first(b"220 mail.test ESMTP ready\r\n"), ["SMTP", "starttls"]),
    (says_first(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), ["IMAP", "starttls"]),
    (says_first(b"+OK POP3 ready\r\n"), ["POP3", "starttls"]),
    (says_first(b"SSH-2.0-OpenSSH_9.2p1\r\n"), ["SSH"]),
    (answers(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), ["HTTP"]),
    (says_first(b"what do you want?\r\n"), ["TLS"]),
    (says_first(b"\x00" * 300), ["TLS"]),
], ids=["smtp", "imap", "pop3", "ssh", "http", "words", "zeros"])
def test_plaintext_service_on_the_port(relay, serve, script, hints):
    server = serve(script)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "not_tls", *hints)


def test_greeting_in_one_byte_pieces_is_recognised(relay, serve):
    def script(peer):
        for byte in b"220 mail.test ESMTP ready\r\n":
            peer.send(bytes([byte]))
        peer.read_to_end()

    server = serve(script)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "not_tls")


@pytest.mark.needs("slapd")
def test_plaintext_ldap_port(relay, pki, tmp_path, keep):
    slapd = keep(Slapd(tmp_path, pki.leaf(), people=1))
    tunnel = relay(slapd.plain_address)
    client = tunnel.connect("svc")
    assert client.expect_reset() == b""
    assert tunnel.closed(service="svc")["kind"] in ("not_tls", "tls_closed")


@pytest.mark.parametrize("port, name", [(389, "LDAP"), (5432, "PostgreSQL")])
def test_port_gives_a_silent_plaintext_service_away(relay, serve, port, name):
    """These say nothing first, and hang up on a ClientHello."""
    host = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.7"
    try:
        server = serve(lambda peer: peer.recv() and None, host=host, port=port)
    except PermissionError:
        pytest.skip(f"may not listen at port {port}")
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_closed",
                       str(port), name, "starttls")


def test_server_stays_silent(relay, serve):
    server = serve(silent)
    tunnel = relay(server, timeouts={"handshake": "400ms"})
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_timeout",
                                r"handshake|TLS")
    assert closed["connect_ms"] >= 0 and closed["total_ms"] >= 400


@pytest.mark.parametrize("code, kind, word", [
    (40, "tls_alert", "handshake.failure"), (80, "tls_alert", "internal.error"),
    (112, "tls_alert", "unrecogni[sz]ed.name|name"), (70, "tls_version", "version"),
], ids=["handshake_failure", "internal_error", "unrecognized_name", "protocol_version"])
def test_server_sends_an_alert(relay, serve, code, kind, word):
    server = serve(answers(alert(code)))
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, kind, word)


def test_server_speaks_broken_tls(relay, serve):
    nonsense = b"\x02\x00\x00\x10" + b"\xff" * 16  # a ServerHello of impossible content
    server = serve(answers(struct.pack("!BHH", 22, 0x0303, len(nonsense)) + nonsense))
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_failed", "TLS")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_server_hangs_up_during_the_handshake(relay, serve, how):
    def script(peer):
        assert peer.recv()
        peer.reset() if how == "reset" else peer.close()

    server = serve(script)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_closed",
                       "closed|hung up|reset|ended")


def test_server_hangs_up_at_once(relay, serve):
    server = serve(lambda peer: None)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_closed")


@pytest.mark.parametrize("server_range, tls", [
    ((V.TLSv1, V.TLSv1_1), {}),
    ((V.TLSv1_2, V.TLSv1_2), {"min_version": "1.3"}),
    ((V.TLSv1_3, V.TLSv1_3), {"max_version": "1.2"}),
], ids=["old-server", "min_version", "max_version"])
def test_no_version_in_common(relay, serve_tls, server_range, tls):
    server = serve_tls(echo, minimum=server_range[0], maximum=server_range[1])
    tunnel = relay(server, tls=tls)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_version", "version")


def test_no_cipher_in_common(relay, pki, serve_tls):
    server = serve_tls(echo, maximum=V.TLSv1_2)
    tunnel = relay(server, tls={"ciphers": ["TLS_AES_128_GCM_SHA256"]})
    client = tunnel.connect("svc")
    assert client.expect_reset() == b""
    assert tunnel.closed()["kind"] in ("tls_alert", "tls_version")


def test_server_demands_a_client_certificate(relay, serve_tls, pki):
    """TLS 1.3 servers say so only after the handshake."""
    server = serve_tls(echo, client_ca=pki.ca)
    tunnel = relay(server)
    assert tunnel.connect("svc").expect_reset() == b""
    closed = tunnel.closed()
    assert closed["kind"] == "client_cert_rejected"
    sentence = expect.sentence(tunnel)
    assert server.address in sentence and "certificate" in sentence


def test_server_demands_a_client_certificate_in_tls_1_2(relay, serve_tls, pki):
    server = serve_tls(echo, client_ca=pki.ca, maximum=V.TLSv1_2)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "client_cert_rejected",
                       r"certificate")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("staple, mode, kind", [
    ("good", "soft", "ok"), ("good", "require", "ok"), ("none", "soft", "ok"),
    ("revoked", "off", "ok"), ("revoked", "soft", "cert_revoked"),
    ("revoked", "require", "cert_revoked"), ("none", "require", "ocsp_failed"),
    ("expired", "soft", "ocsp_failed"), ("foreign", "soft", "ocsp_failed"),
])
def test_stapled_ocsp(relay, pki, tmp_path, keep, staple, mode, kind):
    leaf = pki.leaf()
    files = {
        "good": lambda: pki.intermediate.ocsp("good", leaf),
        "revoked": lambda: pki.intermediate.ocsp("revoked", leaf, revoked=True),
        "expired": lambda: pki.intermediate.ocsp("expired", leaf, days=(-20, -10)),
        "foreign": lambda: pki.stranger.ocsp("foreign", leaf),
    }
    options = ["-status_file", files[staple]()] if staple in files else []
    server = keep(OpensslServer(tmp_path, leaf, "-rev", *options))
    tunnel = relay(server, tls={"ocsp": mode})
    client = tunnel.connect("svc")
    if kind == "ok":
        client.send(b"hello\n")
        assert client.recv_exact(6) == b"olleh\n"
        client.close()
        good_until = r"good until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        expected = good_until if staple == "good" else "none"
        assert re.fullmatch(expected, tunnel.closed(service="svc")["ocsp"])
    else:
        expect.failed_dial(tunnel, client, server.address, kind, "OCSP|revoked")
