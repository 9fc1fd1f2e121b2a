# SPDX-License-Identifier: MIT
"""What a stunnel.conf says of TLS: whom it trusts, what it negotiates, what it shows."""

import os
import re
import ssl

import pytest
from harness import intolerant
from harness.server import echo, silent
from harness.stunnel import StunnelServer, greets, refused, served

pytestmark = pytest.mark.needs("stunnel4")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("check", ["verifyChain = yes\nCAfile = {ca}\ncheckHost = localhost", ""])
def test_key_usage_is_not_looked_at(program, witness, fill, pki, version, check):
    server = witness(greets(b"hello"), pki.for_encipherment, minimum=version, maximum=version)
    running = program(fill("[s]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n" + check,
                           server))
    served(running.connect("s"), b"hello", os.urandom(300_000))


# What must not be served, whatever of the above is the reason.
REFUSALS = {
    "untrusted": ("untrusted", "verifyChain = yes\nCAfile = {ca}\ncheckHost = server.test"),
    "expired": ("expired", "verifyChain = yes\nCAfile = {ca}"),
    "other-name": ("wrong_name", "verifyChain = yes\nCAfile = {ca}\ncheckHost = server.test"),
    "none-of-the-names": (None, "verifyChain = yes\nCAfile = {ca}\ncheckHost = a.test\n"
                                "checkIP = 192.0.2.1"),
    "another-peer": ("revoked", "verifyPeer = yes\nCAfile = {leaf}"),
    "another-peer-level-4": ("revoked", "verify = 4\nCAfile = {leaf}"),
    "level-3-wants-both": (None, "verify = 3\nCAfile = {ca}"),
    "revoked": ("revoked", "verifyChain = yes\nCAfile = {ca}\nCRLfile = {crl}"),
    "weak-for-level-3": ("rsa2048", "securityLevel = 3\nverifyChain = yes\nCAfile = {ca}"),
    "weak-for-a-list-at-level-4": (None, "ciphers = HIGH:@SECLEVEL=4"),
    "sslVersion": (None, "sslVersion = TLSv1.2", {"minimum": "1.3"}),
    "options": (None, "options = NO_TLSv1_3", {"minimum": "1.3"}),
    "sslVersionMin": (None, "sslVersionMin = TLSv1.3", {"maximum": "1.2"}),
    "config-command": (None, "config = MaxProtocol:TLSv1.2", {"minimum": "1.3"}),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_server_is_refused(program, witness, fill, pki, reason):
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    label, lines, *rest = REFUSALS[reason]
    options = {key: versions[value] for key, value in (rest[0] if rest else {}).items()}
    if label == "rsa2048":
        identity = pki.leaf("rsa2048", key="rsa2048")
    else:
        identity = getattr(pki, label) if label else None
    server = witness(silent, identity=identity, **options)
    crl = pki.intermediate.crl("refused", [pki.revoked])
    running = program(fill("client = yes\n[svc]\naccept = 127.0.0.1:0\nconnect = {server}\n" +
                           lines + "\n", server, crl=crl))
    refused(running.connect("svc"))


@pytest.mark.parametrize("lines, expected", [
    ("sslVersion = TLSv1.2\nciphers = ECDHE-ECDSA-AES256-GCM-SHA384",
     ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2")),
    ("sslVersionMax = TLSv1.2\nciphers = ECDHE+CHACHA20:ECDHE+AES128",
     ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2")),
    ("options = NO_TLSv1_3\nciphers = AES128+SHA:!aNULL",
     ("ECDHE-ECDSA-AES128-SHA", "TLSv1.2")),
    ("config = Protocol:-TLSv1.3\nconfig = CipherString:ECDHE+AES256+SHA384",
     ("ECDHE-ECDSA-AES256-SHA384", "TLSv1.2")),
    ("sslVersion = TLSv1.3\nciphersuites = TLS_CHACHA20_POLY1305_SHA256",
     ("TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3")),
    ("ciphers = ECDHE-ECDSA-AES256-GCM-SHA384", ("TLS_AES_256_GCM_SHA384", "TLSv1.3")),
    ("sslVersion = TLSv1.3\nciphersuites = TLS_AES_128_GCM_SHA256\nsecurityLevel = 3",
     ("TLS_AES_128_GCM_SHA256", "TLSv1.3")),
    ("securityLevel = 0\nsslVersion = TLSv1.3\ncurves = P-521:secp384r1", (None, "TLSv1.3")),
])
def test_what_is_negotiated(program, witness, fill, lines, expected):
    server = witness()
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n" +
                           lines + "\n", server))
    served(running.connect("svc"))
    suite, version = expected
    assert [seen[1] for seen in server.sessions] == [version]
    if suite:
        assert [seen[0] for seen in server.sessions] == [suite]


def test_improvement_no_name_is_sent_for_an_address(program, kind, witness, fill):
    """RFC 6066 forbids it, and some servers refuse it."""
    server = witness()
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server4}\n",
                           server))
    served(running.connect("svc"))
    assert server.server_names == ["127.0.0.1" if kind == "stunnel" else None]


@pytest.mark.parametrize("line, name", [("sni = other.test", "other.test"), ("sni =", None)])
def test_sni(program, witness, fill, line, name):
    server = witness()
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n" + line,
                           server))
    served(running.connect("svc"))
    assert server.server_names == [name]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_pre_shared_key(program, serve, keep, fill, tmp_path, version):
    backend = serve(echo)
    secrets = tmp_path / "secrets.txt"
    secrets.write_text("alice:000102030405060708090a0b0c0d0e0f\n"
                       "bob:0123456789abcdef0123456789abcdef01234567\n")
    secrets.chmod(0o600)
    server = keep(StunnelServer(tmp_path, "[psk]\naccept = 127.0.0.1:0\nciphers = PSK\n"
                                f"PSKsecrets = {secrets}\nconnect = {backend.address}\n"
                                f"sslVersion = {version}\n"))
    text = ("[psk]\nclient = yes\naccept = 127.0.0.1:0\nciphers = PSK\n"
            f"PSKsecrets = {secrets}\nconnect = {server.address}\n")
    running = program(text + "PSKidentity = bob\n")
    served(running.connect("psk"))
    assert "Key configured for PSK identity \"bob\"" in server.text()
    running.stop()
    secrets = tmp_path / "wrong.txt"
    secrets.write_text("alice:ffffffffffffffffffffffffffffffff\n")
    secrets.chmod(0o600)
    running = program(text.replace("secrets.txt", "wrong.txt"))
    refused(running.connect("psk"))


def test_missing_verification_is_said_at_each_start(program, witness, fill):
    server = witness()
    running = program(fill("[careless]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n",
                           server))
    assert re.search(r"careless.*(authentication|verif)", running.text())
    served(running.connect("careless"))


def test_server_that_breaks_off_at_a_ticket_serves_every_client(program, kind, keep, pki):
    """stunnel offers its session again and again, and loses each client that it does so for."""
    server = keep(intolerant.IntolerantServer(echo, pki.context(), intolerant.alert))
    instance = program("client = yes\n[svc]\naccept = 127.0.0.1:0\n"
                       f"connect = {server.address}\nverifyChain = yes\nCAfile = {pki.ca.file}\n"
                       "checkHost = localhost\n")
    for number in range(4):
        client = instance.connect("svc")
        if number > 0 and instance.is_stunnel:
            return refused(client)
        served(client)
