# SPDX-License-Identifier: MIT
"""What the tunnel proves itself with: client certificates from files and tokens, pre-shared keys."""

import os
import pty
import re
import shutil
import ssl
import subprocess

import pytest
from harness import expect, toml
from harness import tunnel as program
from harness.keys import (PASSWORD, PIN, SoftToken, StunnelServer, encrypted, make_pkcs12, secret)
from harness.pki import CLIENT_AUTH, Authority
from harness.programs import OpensslServer
from harness.server import echo
from harness.wait import PATIENCE

VERSIONS = {"1.2": (ssl.TLSVersion.TLSv1_2, "-tls1_2"), "1.3": (ssl.TLSVersion.TLSv1_3, "-tls1_3")}
versions = pytest.mark.parametrize("version", VERSIONS)
PSK = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def robot(pki):
    """A client's certificate by the intermediate, alone in its files."""
    return pki.leaf("robot", names=[], addresses=[], purposes=[CLIENT_AUTH])


def shown(identity, **keys):
    return {"cert": identity.chain_file, "key": identity.key_file, **keys}


def demanding(serve_tls, pki, version="1.3", ca=None, tickets=None):
    """A server that wants a client certificate by our CA, and answers with its serial number."""

    def script(peer):
        while peer.recv():
            peer.send(str(int(peer.tls.getpeercert()["serialNumber"], 16)).encode() + b"\n")
        peer.half_close()

    only = VERSIONS[version][0]
    return serve_tls(script, client_ca=ca or pki.ca, minimum=only, maximum=only,
                     tickets=tickets)


def knows(tunnel, identity):
    """The server tells the number of the certificate it saw: the identity's."""
    client = tunnel.connect("svc")
    client.send(b"who?")
    serial = str(identity.cert.serial_number).encode() + b"\n"
    assert client.recv_exact(len(serial)) == serial, tunnel.log.text()
    client.half_close()
    assert client.expect_eof() == b""


# ---- certificates

@pytest.mark.needs("openssl")
@versions
@pytest.mark.parametrize("named", ["its own CA", "another CA"])
def test_server_sees_exactly_the_certificate(relay, pki, robot, tmp_path, keep, version, named):
    ca = pki.ca if named == "its own CA" else pki.stranger
    strict = ["-verify_return_error"] if ca is pki.ca else []
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-Verify", "3", "-CAfile", ca.file, *strict,
                                VERSIONS[version][1]))
    tunnel = relay(server, tls=shown(robot))
    client = tunnel.connect("svc")
    client.send(b"hello there\n")
    server.wait_for_text("hello there")
    pem = re.search(r"Client certificate\n(-----BEGIN.*?-----END CERTIFICATE-----\n)",
                    server.text(), re.DOTALL)
    assert pem and pem[1] == robot.cert_file.read_text(), server.text()


@pytest.mark.parametrize("form", ["pkcs8", "legacy", "der"])
def test_encrypted_key(relay, pki, robot, serve_tls, tmp_path, form):
    tunnel = relay(demanding(serve_tls, pki), tls=shown(
        robot, key=encrypted(tmp_path, robot, form),
        key_password_file=secret(tmp_path, "password", PASSWORD + "\n")))
    knows(tunnel, robot)


def test_one_file_with_everything_in_any_order(relay, pki, robot, serve_tls, tmp_path):
    content = (robot.key_file.read_text() + robot.issuers_file.read_text() +
               robot.cert_file.read_text())
    tunnel = relay(demanding(serve_tls, pki), tls={"cert": secret(tmp_path, "all.pem", content)})
    knows(tunnel, robot)


@versions
def test_pkcs12(relay, pki, robot, serve_tls, tmp_path, version):
    tunnel = relay(demanding(serve_tls, pki, version), tls={
        "cert": make_pkcs12(tmp_path, robot, [pki.intermediate.cert]),
        "key_password_file": secret(tmp_path, "password", PASSWORD)})
    knows(tunnel, robot)


def test_password_is_a_credential_of_the_service_manager(relay, pki, robot, serve_tls, tmp_path):
    (tmp_path / "credentials").mkdir()
    secret(tmp_path / "credentials", "robot.password", PASSWORD)
    secret(tmp_path, "robot.password", "this one is not meant")
    tunnel = relay(demanding(serve_tls, pki), tls=shown(
        robot, key=encrypted(tmp_path, robot, "pkcs8"), key_password_file="robot.password"),
        env={"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")})
    knows(tunnel, robot)


# ---- a token

@pytest.fixture
def token(robot, tmp_path):
    return SoftToken(tmp_path, robot)


@pytest.mark.needs("softhsm2-util", "p11tool")
@versions
def test_key_in_a_token(relay, pki, robot, serve_tls, tmp_path, token, version):
    """Used by several workers at once."""
    tunnel = relay(demanding(serve_tls, pki, version), env=token.env, options={"workers": 3},
                   tls=shown(robot, key=token.uri, key_password_file=secret(tmp_path, "pin", PIN)))
    clients = [tunnel.connect("svc") for _ in range(9)]
    serial = str(robot.cert.serial_number).encode() + b"\n"
    for client in clients:
        client.send(b"who?")
    for client in clients:
        assert client.recv_exact(len(serial)) == serial, tunnel.log.text()


@pytest.mark.needs("softhsm2-util", "p11tool")
def test_certificate_and_key_in_a_token_with_the_pin_in_the_uri(relay, pki, serve_tls, tmp_path):
    """The intermediate is not in the token: the server has to know it."""
    ca = Authority(tmp_path, "token-ca")
    identity = ca.issue("token-robot", names=[], addresses=[], purposes=[CLIENT_AUTH])
    token = SoftToken(tmp_path, identity)
    pin = secret(tmp_path, "my pin", PIN + "\n")
    uri = f"{token.uri}?pin-source=file:{str(pin).replace(' ', '%20')}"
    tunnel = relay(demanding(serve_tls, pki, ca=ca), env=token.env, tls={"cert": uri})
    knows(tunnel, identity)


@pytest.mark.needs("softhsm2-util", "p11tool")
@pytest.mark.parametrize("pin, key, sentence", [
    ("9999", "key_password_file", "the PIN in .* does not open the token"),
    (None, "key", "wants a PIN, and there is none"),
])
def test_wrong_pin(run, robot, tmp_path, token, pin, key, sentence):
    tls = shown(robot, key=token.uri)
    if pin:
        tls["key_password_file"] = secret(tmp_path, "pin", pin)
    refused(run, tls, key, sentence, env=token.env)


@pytest.mark.needs("softhsm2-util", "p11tool")
def test_wrong_pin_in_the_uri(run, robot, token):
    refused(run, {"cert": robot.chain_file, "key": f"{token.uri}?pin-value=9999"}, "key",
            "the PIN that the URI names does not open the token", env=token.env)


@pytest.mark.needs("softhsm2-util", "p11tool")
def test_pin_in_the_uri(relay, pki, robot, serve_tls, token):
    tunnel = relay(demanding(serve_tls, pki), env=token.env,
                   tls=shown(robot, key=f"{token.uri}?pin-value={PIN}"))
    knows(tunnel, robot)


@pytest.mark.needs("softhsm2-util", "p11tool")
def test_wrong_pin_is_tried_once_for_all_services(run, robot, tmp_path, token):
    """Tokens lock themselves after three."""
    tls = shown(robot, key=token.uri, key_password_file=secret(tmp_path, "pin", "9999"))
    text = "foreground = true\n"
    for name in ("one", "two", "three"):
        text += f'[{name}]\naccept = "127.0.0.1:0"\nconnect = "127.0.0.1:1"\n'
        text += f"[{name}.tls]\n" + toml.dumps(tls)
    done = run("check", config=text, env=token.env)
    assert done.returncode == 2
    assert done.stderr.count("does not open the token") == 3, done.stderr
    assert done.stderr.count("it was tried once") == 1, done.stderr
    assert done.stderr.count("it was wrong before, and is not tried again") == 2, done.stderr


@pytest.mark.needs("softhsm2-util", "p11tool")
def test_token_that_fails_is_no_fault_of_the_server(relay, pki, robot, serve_tls, tmp_path, token):
    # Without tickets: a resumed session needs no signature.
    tunnel = relay(demanding(serve_tls, pki, tickets=0), env=token.env, tls=shown(
        robot, key=token.uri, key_password_file=secret(tmp_path, "pin", PIN)))
    knows(tunnel, robot)
    shutil.rmtree(token.folder / "tokens")
    assert tunnel.connect("svc").expect_reset() == b""
    closed = tunnel.closed(count=2)
    assert (closed["kind"], closed["side"]) == ("tls_failed", "tunnel")
    assert "the token with the client key" in tunnel.wait_for_event("dial_failed")["msg"]
    assert not tunnel.log.find("ejected")


# ---- what is wrong is said before the start

def refused(run, tls, key, sentence, env=None):
    text = "foreground = true\n[svc]\naccept = \"127.0.0.1:0\"\nconnect = \"127.0.0.1:1\"\n"
    text += "[svc.tls]\n" + toml.dumps(tls)
    for command in (["check"], []):
        done = run(*command, config=text, env=env)
        assert done.returncode == 2, done.stderr
        line = next(n for n, t in enumerate(text.split("\n"), 1) if t.startswith(key + " ="))
        column = len(key) + 4
        assert re.search(rf"tunnel\.toml:{line}:{column}: error: .*{sentence}", done.stderr), \
            done.stderr
        assert PASSWORD not in done.stderr and PIN not in done.stderr


def test_wrong_password(run, robot, tmp_path):
    wrong = secret(tmp_path, "password", "falsch\n")
    for tls in (shown(robot, key=encrypted(tmp_path, robot, "pkcs8")),
                shown(robot, key=encrypted(tmp_path, robot, "legacy")),
                {"cert": make_pkcs12(tmp_path, robot)}):
        refused(run, {**tls, "key_password_file": wrong}, "key_password_file", "does not open")


def test_missing_password(run, robot, tmp_path):
    refused(run, shown(robot, key=encrypted(tmp_path, robot, "legacy")), "key",
            "encrypted, and tls.key_password_file is not set")
    refused(run, {"cert": make_pkcs12(tmp_path, robot)}, "cert",
            "encrypted, and tls.key_password_file is not set")


def test_key_of_another_certificate(run, pki, robot):
    refused(run, shown(robot, key=pki.leaf().key_file), "key", "does not belong to .*CN=robot")


def test_unreadable_files(run, robot, tmp_path):
    refused(run, shown(robot, key=tmp_path / "gone"), "key", "cannot read .*gone")
    refused(run, shown(robot, key_password_file=tmp_path / "gone"), "key_password_file",
            "cannot read .*gone")


def test_expired_certificate_is_worth_a_warning(run, pki):
    old = pki.leaf("old-robot", days=(-60, -2), purposes=[CLIENT_AUTH])
    done = run("check", config={"svc": {"accept": "127.0.0.1:0", "connect": "127.0.0.1:1",
                                        "tls": shown(old)}})
    assert done.returncode == 0
    assert re.search(r"tunnel\.toml:\d+:\d+: warning: tls\.cert: .*CN=old-robot.* expired 2 days "
                     r"ago", done.stderr)


def test_expired_certificate_of_health_checks_is_worth_a_warning(run, pki):
    old = pki.leaf("old-robot", days=(-60, -2), purposes=[CLIENT_AUTH])
    done = run("check", config={"svc": {"accept": "127.0.0.1:0", "connect": "127.0.0.1:1",
                                        "tls": False,
                                        "health": {"check": "tls", "tls": shown(old)}}})
    assert done.returncode == 0
    assert re.search(r"tunnel\.toml:\d+:\d+: warning: health\.tls\.cert: .*CN=old-robot.* expired 2 "
                     r"days ago", done.stderr)


def test_nobody_is_asked_for_a_password_even_at_a_terminal(robot, tmp_path):
    path = program.write_config(tmp_path, {"svc": {
        "accept": "127.0.0.1:0", "connect": "127.0.0.1:1",
        "tls": shown(robot, key=encrypted(tmp_path, robot, "legacy"))}})
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            ["setsid", "--ctty", "--wait", str(program.BINARY), "check", str(path)], stdin=theirs,
            capture_output=True, text=True, timeout=PATIENCE)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert "tls.key_password_file is not set" in done.stderr


# ---- a server that refuses it

@versions
@pytest.mark.parametrize("early", [b"", b"hello" * 2000], ids=["waiting", "talking"])
def test_refused_certificate(relay, pki, serve_tls, version, early):
    stranger = pki.stranger.issue(f"stranger-{version}-{len(early)}", purposes=[CLIENT_AUTH])
    server = demanding(serve_tls, pki, version)
    tunnel = relay(server, tls=shown(stranger), health={"eject_time": "1h", "eject_max": "1h"})
    client = tunnel.connect("svc")
    if early:
        client.send(early)
    assert client.expect_reset() == b""
    closed = tunnel.closed()
    assert closed["kind"] == "client_cert_rejected", tunnel.log.text()
    for part in (server.address, f"CN=stranger-{version}", str(stranger.chain_file),
                 "unknown_ca (48)"):
        assert part in expect.sentence(tunnel)
    assert tunnel.wait_for_event("ejected")["kind"] == "client_cert_rejected"


@versions
def test_missing_certificate_says_what_to_set(relay, pki, serve_tls, version):
    tunnel = relay(demanding(serve_tls, pki, version))
    assert tunnel.connect("svc").expect_reset() == b""
    closed = tunnel.closed()
    assert closed["kind"] == "client_cert_rejected"
    assert "set tls.cert and tls.key" in expect.sentence(tunnel)


def test_tls_check_waits_for_the_late_rejection(relay, pki, serve_tls):
    tunnel = relay(demanding(serve_tls, pki),
                   health={"check": "tls", "interval": "200ms", "fall": 1})
    ejected = tunnel.wait_for_event("ejected")
    assert "set tls.cert and tls.key" in ejected["msg"]


# ---- pre-shared keys

def psk_of(folder, content, **keys):
    return {"psk_file": secret(folder, "psk", content), **keys}


def only(version):
    return {"min_version": version, "max_version": version}


@pytest.fixture
def relay_psk(start):
    """A tunnel without any CA: the key is all it has."""

    def relay_psk(target, tls):
        return start({"svc": {"accept": "127.0.0.1:0", "connect": target.address, "tls": tls}})

    return relay_psk


@pytest.mark.needs("stunnel4")
@versions
@pytest.mark.parametrize("key", [PSK, "this key is no hex at all: it is text"], ids=["hex", "text"])
def test_psk_with_stunnel(relay_psk, serve, tmp_path, keep, version, key):
    secrets = secret(tmp_path, "server.psk", f"somebody:{PSK[::-1]}\nrobot:{key}\n")
    server = keep(StunnelServer(tmp_path, serve(echo).address, "ciphers = PSK",
                                f"PSKsecrets = {secrets}"))
    tunnel = relay_psk(server, psk_of(tmp_path, f"other:{PSK}\nrobot:{key}\n",
                                      psk_identity="robot", **only(version)))
    closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert closed["tls"].startswith("TLS" + version)
    server.wait_for_text('Key configured for PSK identity "robot"')


@pytest.mark.needs("openssl")
@versions
def test_psk_with_openssl_and_its_refusals(relay_psk, tmp_path, keep, version):
    server = keep(OpensslServer(tmp_path, None, "-psk", PSK, "-psk_identity", "robot", "-rev"))
    tunnel = relay_psk(server, psk_of(tmp_path, f"robot:{PSK}\n", **only(version)))
    client = tunnel.connect("svc")
    client.send(b"hello\n")
    assert client.recv_exact(6) == b"olleh\n"
    client.half_close()  # s_server serves one after the other
    assert client.expect_eof() == b""
    wrong = relay_psk(server, psk_of(tmp_path, f"robot:{PSK[::-1]}\n", **only(version)))
    expect.failed_dial(wrong, wrong.connect("svc"), server.address, "tls_alert",
                       'another key for the identity "robot"')


@pytest.mark.needs("stunnel4")
@versions
def test_psk_identity_that_the_server_does_not_know(relay_psk, serve, tmp_path, keep, version):
    secrets = secret(tmp_path, "server.psk", f"somebody:{PSK}\n")
    server = keep(StunnelServer(tmp_path, serve(echo).address, "ciphers = PSK",
                                f"PSKsecrets = {secrets}"))
    tunnel = relay_psk(server, psk_of(tmp_path, f"robot:{PSK}\n", **only(version)))
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "tls_alert",
                       'the identity "robot"')


def test_certificate_instead_of_the_key_is_refused(relay_psk, relay, serve_tls, pki, tmp_path):
    """In TLS 1.3 the client offers a key, and the server may go on as if it had not."""
    server = serve_tls(echo)
    tls = psk_of(tmp_path, f"robot:{PSK}\n", **only("1.3"))
    tunnel = relay_psk(server, {**tls, "verify": "none"})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_untrusted",
                       "pre-shared key")
    tunnel = relay(server, tls=tls)  # which names a CA
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_bad_files_of_keys(run, tmp_path):
    refused(run, psk_of(tmp_path, f"robot:{PSK}\nnonsense\n"), "psk_file", "line 2: .*no colon")
    refused(run, psk_of(tmp_path, "robot:abcd\n"), "psk_file", "only 2 bytes")
    refused(run, psk_of(tmp_path, f"robot:{PSK}\n", psk_identity="nobody"), "psk_identity",
            '"nobody" has no key in ')
    refused(run, {"psk_file": tmp_path / "gone"}, "psk_file", "cannot read .*gone")
