# SPDX-License-Identifier: MIT
"""Configurations as people write them for stunnel, run three ways: by stunnel, by the tunnel from the
same file, and by the tunnel from the TOML that `convert` makes of it. What client and server see must
be the same; where it is not, the test is called after what is better here."""

import base64
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess

import pytest
from harness import intolerant, tunnel
from harness.peer import Peer
from harness.pki import CLIENT_AUTH
from harness.ports import free_port
from harness.process import start_on_free_port
from harness.proxies import HttpProxy
from harness.server import FullBacklog, echo, silent
from harness.starttls import DIALECTS, StarttlsServer
from harness.stunnel import KINDS, Failed, Program, StunnelServer, Witness, run_on
from harness.wait import PATIENCE, eventually

pytestmark = pytest.mark.needs("stunnel4")

SAMPLE = pathlib.Path("/usr/share/doc/stunnel4/examples/stunnel.conf-sample")


@pytest.fixture(params=KINDS, ids=["by-stunnel", "by-tunnel", "by-toml"])
def kind(request):
    return request.param


@pytest.fixture
def program(kind, tmp_path, keep):
    """program(text) runs it, in one of the three ways."""
    return lambda text, **kwargs: keep(Program(kind, tmp_path, text, **kwargs))


@pytest.fixture
def witness(keep, pki):
    """witness(script, identity, ...) is a TLS server that remembers what clients showed."""

    def start(script=echo, identity=None, port=0, path=None, **options):
        return keep(Witness(script, pki.context(identity, **options), port=port, path=path))

    return start


def greets(greeting):
    """A server that speaks first."""

    def script(peer):
        peer.send(greeting)
        echo(peer)

    return script


def served(client, greeting=b"", payload=b"hello\r\n"):
    """The client sees the greeting, its words come back, and both ends are orderly."""
    assert client.recv_exact(len(greeting)) == greeting
    client.send(payload)
    assert client.recv_exact(len(payload)) == payload
    client.half_close()
    assert client.expect_eof() == b""


def refused(client):
    assert client.expect_reset() == b""


# Whole files, with HOST:PORT of the server, the client's own files, and a folder, filled in.
FILES = {
    "smtps-submission-for-an-mta": ("smtps", b"220 mail.example.com ESMTP Postfix\r\n", """
; outgoing mail through the provider's smarthost
setuid = root
[smtps]
accept  = 127.0.0.1:0
client  = yes
connect = {server}
verifyChain = yes
CAfile  = {ca}
checkHost = server.test
"""),
    "imaps-for-fetchmail": ("imaps", b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Dovecot ready.\r\n", """
# Provide IMAP to programs without TLS
options = NO_SSLv2
options = NO_SSLv3
sslVersion = all
[imaps]
client = yes
accept = 127.0.0.1:0
connect = {server}
verify = 2
CApath = {capath}
TIMEOUTclose = 0
"""),
    "pop3s-without-verification": ("pop3s", b"+OK POP3 server ready\r\n", """
[pop3s]
client=yes
accept=localhost:0
connect={server}
"""),
    "ldaps-with-level-2": ("ldaps", b"", """
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
client = yes
[ldaps]
accept = 127.0.0.1:0
connect = {server}
verify = 2
CAfile = {ca}
sslVersionMin = TLSv1.2
delay = yes
"""),
    "redis-with-a-client-certificate": ("redis-cli", b"", """
[redis-cli]
client = yes
accept = 127.0.0.1:0
connect = {server}
cert = {cert}
key = {key}
CAfile = {ca}
verifyChain = yes
checkHost = localhost
TIMEOUTidle = 86400
"""),
    "rsync-pinned-to-its-certificate": ("rsync", b"@RSYNCD: 31.0 sha512 sha256\n", """
; rsync --port=... rsync://127.0.0.1/backup
[rsync]
client      = yes
accept      = 127.0.0.1:0
connect     = {server}
verifyPeer  = yes
CAfile      = {leaf}
ciphers     = HIGH:!aNULL:!MD5
"""),
    "vnc-viewer": ("vnc", b"RFB 003.008\n", """
[vnc]
client = yes
accept = 127.0.0.1:0
connect = {server}
sni = desktop.example.com
TIMEOUTidle = 43200
TIMEOUTconnect = 10
"""),
    "nfs-over-tls": ("nfs", b"", """
socket = l:SO_KEEPALIVE=1
socket = r:SO_KEEPALIVE=1
socket = r:SO_SNDBUF=262144
[nfs]
client = yes
accept = 127.0.0.1:0
connect = {server}
verify = 4
CAfile = {leaf}
ciphers = ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
curves = X25519:prime256v1
reset = yes
"""),
    "windows-line-ends-and-a-byte-order-mark": ("telnets", b"login: ",
     "\ufeff; written on another system\r\nclient = YES\r\n\r\n[telnets]\r\n"
     "accept = 127.0.0.1:0\r\n# no checks\r\nConnect = {server}\r\n"),
    "everything-global": ("only", b"", """
client = yes
verifyChain = yes
CAfile = {ca}
checkHost = wrong.example.com
[only]
; added to the global one: either may match
checkHost = server.test
accept = 127.0.0.1:0
connect = {server}
"""),
    "any-of-the-names-will-do": ("names", b"", """
[names]
client = yes
accept = 127.0.0.1:0
connect = {server}
verifyChain = yes
CAfile = {ca}
checkEmail = postmaster@example.com
checkIP = 127.0.0.1
"""),
    "source-address": ("source", b"", """
[source]
client = yes
accept = 127.0.0.1:0
connect = {server4}
local = 127.0.0.2
"""),
}


@pytest.fixture
def fill(tmp_path, pki):
    """fill(text, server) puts addresses and files into a configuration."""

    def fill(text, server=None, **more):
        own = pki.leaf("client", purposes=[CLIENT_AUTH])
        capath = tmp_path / "certs"
        if not capath.exists():
            capath.mkdir()
            shutil.copy(pki.ca.file, capath / "ca.pem")
            subprocess.run(["openssl", "rehash", capath], check=True, capture_output=True)
        places = dict(ca=pki.ca.file, leaf=pki.leaf().cert_file, capath=capath, dir=tmp_path,
                      cert=own.chain_file, key=own.key_file)
        if server:
            places |= dict(server=f"localhost:{server.port}", server4=server.address)
        return text.format(**places, **more)

    return fill


@pytest.mark.parametrize("file", FILES)
def test_file_is_served(program, witness, fill, pki, file):
    section, greeting, text = FILES[file]
    options = {"client_ca": pki.ca} if "{cert}" in text else {}
    server = witness(greets(greeting), **options)
    running = program(fill(text, server))
    for _ in range(2):
        served(running.connect(section), greeting, os.urandom(300_000))
    sni = re.search(r"^sni = (\S+)", text, re.MULTILINE)
    if "{server4}" not in text:
        assert server.server_names == [sni[1] if sni else "localhost"] * 2
    if "{cert}" in text:
        assert all(server.certificates)
    if "local = " in text:
        assert {host for host, _ in server.clients} == {"127.0.0.2"}
    if "verify = 4" in text:  # its own list for TLS 1.2 leaves TLS 1.3 as it was
        assert {version for _, version in server.sessions} == {"TLSv1.3"}


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


PROTOCOLS = {
    "smtp": ("mail", "[mail]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                     "protocol = smtp\nprotocolHost = client.example.com\nverifyChain = yes\n"
                     "CAfile = {ca}\ncheckHost = server.test\n"),
    "pop3": ("pop", "client = yes\n[pop]\naccept = 127.0.0.1:0\nprotocol = pop3\n"
                    "connect = {server}\n"),
    "imap": ("imap", "client = yes\n[imap]\naccept = 127.0.0.1:0\nprotocol = imap\n"
                     "connect = {server}\n"),
    "nntp": ("news", "client = yes\n[news]\naccept = 127.0.0.1:0\nprotocol = nntp\n"
                     "connect = {server}\nCAfile = {ca}\nverify = 2\n"),
    "ldap": ("ldap", "[ldap]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                     "protocol = ldap\nCAfile = {ca}\nverifyChain = yes\ncheckHost = server.test\n"),
    "pgsql": ("postgres", "[postgres]\nclient = yes\nprotocol = pgsql\naccept = 127.0.0.1:0\n"
                          "connect = {server}\nverifyChain = yes\nCAfile = {ca}\n"
                          "checkHost = server.test\n"),
}


@pytest.fixture
def speak(keep, pki):
    return lambda protocol, identity=None, **kwargs: keep(
        StarttlsServer(DIALECTS[protocol], pki.context(identity), **kwargs))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_starttls(program, kind, speak, fill, protocol):
    section, text = PROTOCOLS[protocol]
    server = speak(protocol)
    running = program(fill(text, server))
    greeting = server.shown
    if protocol == "imap" and kind == "stunnel":
        greeting = b"* OK Connected.\r\n"  # the server's own is passed on here: an improvement
    served(running.connect(section), greeting)
    assert server.handshakes == 1


@pytest.mark.parametrize("protocol", ["smtp", "ldap"])
def test_starttls_that_is_refused_or_not_trusted(program, speak, pki, fill, protocol):
    section, text = PROTOCOLS[protocol]
    for options in ({"refuses": True}, {"identity": pki.untrusted}):
        server = speak(protocol, **options)
        running = program(fill(text, server))
        # The greeting is passed on before TLS by stunnel, and only after it here.
        assert running.connect(section).read_to_end().how == "reset"
        running.stop()


def test_improvement_greeting_waits_until_the_server_is_trusted(
        tmp_path, keep, speak, pki, fill):
    section, text = PROTOCOLS["smtp"]
    server = speak("smtp", identity=pki.untrusted)
    text = fill(text, server)
    assert keep(Program("stunnel", tmp_path, text)).connect(section).read_to_end().data
    assert keep(Program("tunnel", tmp_path, text)).connect(section).read_to_end().data == b""


@pytest.mark.parametrize("method", ["plain", "login"])
def test_smtp_login(program, keep, pki, fill, method):
    heard = []

    def script(peer):
        def line():
            text = b""
            while not text.endswith(b"\r\n"):
                text += peer.recv_exact(1)
            heard.append(text.rstrip())
            return heard[-1]

        extended = line().startswith(b"EHLO ")
        peer.send(b"250-one.test\r\n250 AUTH PLAIN LOGIN\r\n" if extended else b"250 one.test\r\n")
        asked = line()
        if method == "plain":
            sent = asked.split()[2] if len(asked.split()) > 2 else line()
            assert base64.b64decode(sent) == b"\0joe\0secret"
        else:
            assert asked == b"AUTH LOGIN"
            for prompt, answer in ((b"Username:", b"joe"), (b"Password:", b"secret")):
                peer.send(b"334 " + base64.b64encode(prompt) + b"\r\n")
                assert base64.b64decode(line()) == answer
        peer.send(b"235 welcome\r\n")
        echo(peer)

    server = keep(StarttlsServer(DIALECTS["smtp"], pki.context(), script=script))
    running = program(fill("[smtp]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                           "protocol = smtp\nprotocolUsername = joe\nprotocolPassword = secret\n"
                           f"protocolAuthentication = {method}\n", server))
    served(running.connect("smtp"), server.shown)


@pytest.mark.parametrize("login", [None, "joe:se cret"])
def test_http_proxy(program, witness, keep, fill, login):
    server = witness()
    proxy = keep(HttpProxy({f"server.test:{server.port}": server.address}, login=login))
    text = ("[https]\nclient = yes\naccept = 127.0.0.1:0\nconnect = " + proxy.address + "\n"
            f"protocol = connect\nprotocolHost = server.test:{server.port}\nverifyChain = yes\n"
            "CAfile = {ca}\ncheckHost = server.test\n")
    if login:
        text += "protocolUsername = joe\nprotocolPassword = se cret\n"
    running = program(fill(text))
    served(running.connect("https"))
    assert proxy.asked == [f"server.test:{server.port}"]
    assert server.server_names == ["server.test"]


def test_http_proxy_that_refuses(program, keep, fill):
    proxy = keep(HttpProxy({}))
    running = program(fill("[https]\nclient = yes\naccept = 127.0.0.1:0\n"
                           f"connect = {proxy.address}\nprotocol = connect\n"
                           "protocolHost = server.test:443\n"))
    refused(running.connect("https"))
    assert proxy.asked == ["server.test:443"]


@pytest.mark.parametrize("failover", ["prio", "rr"])
def test_failover_past_a_dead_server(program, witness, fill, failover):
    one, two = witness(), witness()
    dead = free_port()
    running = program(fill(f"[ha]\nclient = yes\naccept = 127.0.0.1:0\nfailover = {failover}\n"
                           f"connect = 127.0.0.1:{dead}\nconnect = {one.address}\n"
                           f"connect = {two.address}\n"))
    for _ in range(6):
        served(running.connect("ha"))
    assert one.accepted + two.accepted == 6
    if failover == "prio":
        assert (one.accepted, two.accepted) == (6, 0)
    else:
        assert min(one.accepted, two.accepted) >= 2


def test_failover_past_a_server_that_does_not_answer(program, witness, keep, fill):
    server = witness()
    silent_one = keep(FullBacklog())
    running = program(fill("[ha]\nclient = yes\naccept = 127.0.0.1:0\nTIMEOUTconnect = 1\n"
                           f"connect = {silent_one.address}\nconnect = {server.address}\n"
                           "failover = prio\n"))
    served(running.connect("ha"))


def test_improvement_failover_past_a_server_with_the_wrong_certificate(
        tmp_path, keep, witness, fill, pki):
    """stunnel's choice is final once TCP stands."""
    wrong, right = witness(identity=pki.untrusted), witness()
    text = fill("[ha]\nclient = yes\naccept = 127.0.0.1:0\nfailover = prio\nverifyChain = yes\n"
                f"CAfile = {{ca}}\nconnect = {wrong.address}\nconnect = {right.address}\n")
    refused(keep(Program("stunnel", tmp_path, text)).connect("ha"))
    served(keep(Program("tunnel", tmp_path, text)).connect("ha"))


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


def test_several_sections_with_global_options(program, witness, fill, pki):
    good, bad = witness(greets(b"one")), witness(greets(b"two"), identity=pki.wrong_name)
    running = program(fill("client = yes\nverifyChain = yes\nCAfile = {ca}\n\n"
                           "[one]\naccept = 127.0.0.1:0\ncheckHost = server.test\n"
                           f"connect = localhost:{good.port}\n"
                           "[two]\naccept = 127.0.0.1:0\ncheckHost = server.test\n"
                           f"connect = localhost:{bad.port}\n"
                           "[three]\naccept = 127.0.0.1:0\ncheckHost = other.test\n"
                           f"connect = localhost:{bad.port}\n"))
    served(running.connect("one"), b"one")
    refused(running.connect("two"))
    served(running.connect("three"), b"two")


def test_two_sections_of_one_name(program, kind, witness, fill):
    one, two = witness(greets(b"one")), witness(greets(b"two"))
    running = program(fill("client = yes\n"
                           f"[svc]\naccept = 127.0.0.1:0\nconnect = {one.address}\n"
                           f"[svc]\naccept = 127.0.0.1:0\nconnect = {two.address}\n"))
    text = running.text()
    bound = re.findall(r"(?:bound to|listening on) (127\S+)", text)
    assert len(bound) == 2
    served(Peer.connect(bound[0]), b"one")
    served(Peer.connect(bound[1]), b"two")


def test_included_folder_is_one_stream_with_the_file(program, witness, fill, tmp_path):
    server = witness()
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "10-start.conf").write_text("client = yes\n[svc]\naccept = 127.0.0.1:0\n")
    (folder / "20-go-on.conf").write_text(f"connect = {server.address}\n")
    running = program(f"include = {folder}\n")
    served(running.connect("svc"))


def test_unix_sockets_on_both_sides(program, witness, fill, tmp_path):
    server = witness(path=tmp_path / "server.sock")
    running = program(fill("[unix]\nclient = yes\naccept = {dir}/local.sock\n"
                           "connect = {dir}/server.sock\n"))
    served(Peer.connect(tmp_path / "local.sock"), b"", os.urandom(100_000))
    assert running.addresses("unix") == [str(tmp_path / "local.sock")]


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


@pytest.mark.needs("rsync")
def test_rsync_fetches_a_folder(program, keep, pki, tmp_path, fill):
    """Its daemon sits behind stunnel as the server."""
    module = tmp_path / "module"
    module.mkdir()
    for name in ("one", "two"):
        (module / name).write_bytes(os.urandom(100_000))
    settings = tmp_path / "rsyncd.conf"
    settings.write_text(f"use chroot = no\nmunge symlinks = no\n[backup]\npath = {module}\n")
    own = pki.leaf()
    server = keep(StunnelServer(
        tmp_path, f"[rsyncd]\naccept = 127.0.0.1:0\ncert = {own.chain_file}\n"
        f"key = {own.key_file}\nexec = /usr/bin/rsync\n"
        f"execArgs = rsync --daemon --config={settings}\n"))
    running = program(fill("[rsync]\nclient = yes\naccept = 127.0.0.1:0\nverifyPeer = yes\n"
                           f"connect = {server.address}\nCAfile = {{leaf}}\n"))
    fetched = tmp_path / "fetched"
    address = running.addresses("rsync")[0]
    done = subprocess.run(["rsync", "-a", f"rsync://{address}/backup/", fetched],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    for name in ("one", "two"):
        assert (fetched / name).read_bytes() == (module / name).read_bytes()


@pytest.mark.needs("redis-server", "redis-cli")
def test_redis_wants_a_client_certificate(program, keep, pki, tmp_path, fill):
    own = pki.leaf()
    server, port = start_on_free_port(
        lambda port: ["redis-server", "--bind", "127.0.0.1", "--port", "0", "--tls-port", port,
                      "--tls-cert-file", own.chain_file, "--tls-key-file", own.key_file,
                      "--tls-ca-cert-file", pki.ca.file, "--dir", tmp_path, "--save", ""],
        tmp_path, "redis-server")
    keep(server)
    text = ("[redis]\nclient = yes\naccept = 127.0.0.1:0\nverifyChain = yes\nCAfile = {ca}\n"
            f"checkHost = localhost\nconnect = localhost:{port}\n")

    def ask(running, *words):
        host, port = running.addresses("redis")[0].split(":")
        return subprocess.run(["redis-cli", "-h", host, "-p", port, *words], capture_output=True,
                              text=True, timeout=PATIENCE)

    running = program(fill(text + "cert = {cert}\nkey = {key}\n"))
    value = "x" * 100_000
    assert ask(running, "set", "key", value).stdout == "OK\n"
    assert ask(running, "get", "key").stdout == value + "\n"
    running.stop()
    assert "PONG" not in ask(program(fill(text)), "ping").stdout


SCRIPT = """#!/bin/sh
echo "hello from $0 $1"
read -r answer
echo "$answer" >> {dir}/answers
"""


def test_program_is_the_client(program, witness, fill, tmp_path):
    """exec with connect: started at once, its standard input and output are the plaintext side."""
    script = tmp_path / "client.sh"
    script.write_text(SCRIPT.format(dir=tmp_path))
    script.chmod(0o755)
    heard = []

    def talk(peer):
        line = b""
        while not line.endswith(b"\n"):
            line += peer.recv_exact(1)
        heard.append(line)
        peer.send(b"answer\n")
        peer.read_to_end()

    server = witness(talk)
    program(fill("[exec]\nclient = yes\nexec = {dir}/client.sh\nexecArgs = client.sh joe\n"
                 "connect = {server}\nretry = yes\n", server))
    answers = tmp_path / "answers"
    eventually(lambda: answers.exists() and answers.read_text().count("answer\n") >= 2,
               "the program ran, and ran again")
    assert heard[0].startswith(b"hello from ") and heard[0].endswith(b" joe\n")


@pytest.mark.parametrize("form", ["socket", "pipes"])
def test_inetd(kind, tmp_path, witness, fill, form):
    server = witness(greets(b"+OK\r\n"))
    text = fill("client = yes\nconnect = {server}\nverify = 2\nCAfile = {ca}\n", server)
    if form == "socket":
        ours, theirs = socket.socketpair()
        process = run_on(kind, tmp_path, text, theirs, theirs)
        theirs.close()
        client = Peer(ours)
        served(client, b"+OK\r\n", os.urandom(100_000))
        client.close()
    else:
        process = run_on(kind, tmp_path, text, subprocess.PIPE, subprocess.PIPE)
        process.stdin.write(b"hello\n")
        process.stdin.close()
        assert process.stdout.read() == b"+OK\r\nhello\n"
        process.stdout.close()
    process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0


def test_end_without_close_notify_is_an_end(program, witness, fill):
    """stunnel takes it for an orderly one, and files that were written for it rely on that."""

    def script(peer):
        peer.send(b"x" * 100_000)
        peer.fin()
        silent(peer)

    server = witness(script)
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n",
                           server))
    client = running.connect("svc")
    assert len(client.expect_eof()) == 100_000
    client.close()


def test_half_close_then_the_answer(program, witness, fill):
    def script(peer):
        asked = peer.read_to_end()
        assert asked == (b"question", "close_notify")
        peer.send(b"answer")
        peer.close_notify()

    server = witness(script)
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                           "TIMEOUTclose = 30\n", server))
    client = running.connect("svc")
    client.send(b"question")
    client.half_close()
    assert client.expect_eof() == b"answer"


def test_idle_connection_is_reset(program, witness, fill):
    ends = []
    server = witness(lambda peer: ends.append(peer.read_to_end()))
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                           "TIMEOUTidle = 1\n", server))
    client = running.connect("svc")
    refused(client)
    eventually(lambda: ends, "the server sees the end")
    assert ends == [(b"", "reset")]


def test_improvement_resets_are_passed_on(tmp_path, keep, witness, fill, kind, program):
    """stunnel makes orderly ends of them, both ways."""
    orders, ends = [], []

    def script(peer):
        orders.append(peer.recv(1))
        if orders[-1] == b"r":
            peer.send(b"x")
            peer.reset()
        else:
            peer.send(b"k")
            ends.append(peer.read_to_end())

    server = witness(script)
    running = program(fill("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n",
                           server))
    client = running.connect("svc")
    client.send(b"r")
    end = client.read_to_end()
    if kind != "stunnel":
        assert end == (b"x", "reset")
    client = running.connect("svc")
    client.send(b"k")
    assert client.recv_exact(1) == b"k"
    client.reset()
    eventually(lambda: ends, "the server sees the end")
    assert ends[0].how == ("close_notify" if kind == "stunnel" else "reset")


def test_missing_verification_is_said_at_each_start(program, witness, fill):
    server = witness()
    running = program(fill("[careless]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n",
                           server))
    assert re.search(r"careless.*(authentication|verif)", running.text())
    served(running.connect("careless"))


MISTAKES = {
    "unknown option": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nverfiy = 2\n", 5),
    "global option in a section": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                                   "foreground = yes\n", 5),
    "no argument": ("[svc]\nclient\n", 2),
    "neither yes nor no": ("[svc]\nclient = yes ; really\n", 2),
    "no target": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\n", None),
    "names without a chain": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                              "checkHost = a.test\n", None),
    "chain without authorities": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                                  "verifyChain = yes\n", None),
    "missing file": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                     "CAfile = /nowhere/ca.pem\nverify = 2\n", None),
    "unknown protocol": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                         "protocol = gopher\n", None),
    "redirect": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nredirect = 2\n", None),
    "crossed versions": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                         "sslVersionMin = TLSv1.3\nsslVersionMax = TLSv1.2\n", None),
    "unknown version": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                        "sslVersion = TLSv1.4\n", 5),
    "unknown TLS option": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                           "options = NO_TLSv1_4\n", 5),
    "no cipher": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nciphers = FOO\n", None),
    "unknown command": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                        "config = Foo:bar\n", None),
    "bad level": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nsecurityLevel = 6\n", 5),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_keeps_the_program_from_starting(program, kind, mistake):
    text, line = MISTAKES[mistake]
    with pytest.raises(Failed) as failed:
        program(text)
    assert failed.value.status == (1 if kind == "stunnel" else 2)
    if line:
        assert f"service.conf:{line + 3}:" in failed.value.text


def test_mistakes_are_told_all_at_once(run, tmp_path):
    text = "\n".join(["[svc]", "client = yes", "accept = 1", "connect = 2", "verfiy = 2",
                      "protocol = gopher", "options = NO_TLSv1_4"])
    done = run("check", tunnel.write_config(tmp_path, text, "service.conf"))
    assert done.returncode == 2
    for line in (5, 6, 7):
        assert f"service.conf:{line}:" in done.stderr


def test_server_section_is_refused(run, tmp_path):
    text = "[svc]\naccept = 127.0.0.1:0\nconnect = 2\ncert = /nowhere.pem\n"
    done = run("check", tunnel.write_config(tmp_path, text, "service.conf"))
    assert done.returncode == 2
    assert "client" in done.stderr


@pytest.fixture
def sample(tmp_path):
    """The installed sample: its client sections are not commented out, the server ones are."""
    if not SAMPLE.exists():
        pytest.skip(f"{SAMPLE} is not installed")
    text = SAMPLE.read_text(encoding="utf-8")
    sections = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    kept = [s for s in sections[1:] if re.search(r"^client = yes", s, re.MULTILINE)]
    assert len(kept) >= 3
    return tunnel.write_config(tmp_path, (sections[0] + "".join(kept)).encode(), "sample.conf")


def test_sample_file_is_accepted(run, sample):
    done = run("check", sample)
    assert done.returncode == 0, done.stderr
    for name in ("gmail-pop3", "gmail-imap", "gmail-smtp"):
        assert name in done.stdout


def test_sample_file_is_converted(run, sample, tmp_path):
    done = run("convert", sample)
    assert done.returncode == 0, done.stderr
    assert "[gmail-imap]" in done.stdout
    again = run("check", tunnel.write_config(tmp_path, done.stdout, "converted.toml"))
    assert again.returncode == 0, again.stderr


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
