# SPDX-License-Identifier: MIT
"""Whole files as people write them for stunnel: each serves what it served there."""

import os
import pathlib
import re

import pytest
from harness import tunnel
from harness.peer import Peer
from harness.stunnel import greets, served, refused

pytestmark = pytest.mark.needs("stunnel4")

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
    witness(path=tmp_path / "server.sock")
    running = program(fill("[unix]\nclient = yes\naccept = {dir}/local.sock\n"
                           "connect = {dir}/server.sock\n"))
    served(Peer.connect(tmp_path / "local.sock"), b"", os.urandom(100_000))
    assert running.addresses("unix") == [str(tmp_path / "local.sock")]


SAMPLE = pathlib.Path("/usr/share/doc/stunnel4/examples/stunnel.conf-sample")


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
