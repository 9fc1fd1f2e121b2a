# SPDX-License-Identifier: MIT
"""Small files of the kind that stunnel's users have, with the servers they are for: stunnel serves
each of them, and so must the tunnel, from the same file and from the TOML that `convert` makes of it."""

import os
import re
import shutil
import subprocess

import pytest
from harness.pki import CLIENT_AUTH
from harness.process import Background
from harness.programs import OpensslServer
from harness.proxies import HttpProxy
from harness.stunnel import HEAD, Program, arguments
from harness.wait import eventually

pytestmark = pytest.mark.needs("stunnel4")

SECTION = "client = yes\n[svc]\naccept = 127.0.0.1:0\nconnect = {address}\n"
VERIFIED = "verifyChain = yes\nCAfile = {ca}\ncheckHost = localhost\n"
PSK = "client1:0123456789abcdef0123456789abcdef"


@pytest.fixture
def mirror(keep, tmp_path):
    """mirror(identity, ...) is an `openssl s_server` that answers each line reversed."""
    return lambda identity, *options: keep(
        OpensslServer(tmp_path, identity, "-rev", *options))


@pytest.fixture
def rsa(pki):
    return pki.leaf("rsa", key="rsa2048")


def is_mirrored(running, times=2):
    """As many connections, one after the other, that all are served."""
    for _ in range(times):
        with running.connect("svc") as client:
            client.send(b"a line\n")
            assert client.recv_exact(7) == b"enil a\n"


def chosen(server):
    """The cipher suites of the server's established handshakes."""
    return [line.split()[-1] for line in server.text().splitlines()
            if line.startswith("Ciphersuite: ")]


@pytest.mark.parametrize("suite", ["AES256-GCM-SHA384", "AES256-SHA", "AES128-SHA", "AES256-SHA256",
                                   "ECDHE-RSA-AES256-SHA", "CAMELLIA128-SHA256"])
def test_file_without_ciphers_serves_an_old_server(program, mirror, pki, rsa, suite):
    server = mirror(rsa, "-tls1_2", "-cipher", suite)
    is_mirrored(program((SECTION + VERIFIED).format(address=server.address, ca=pki.ca.file)))
    assert chosen(server) == [suite] * 2


def test_file_without_ciphers_serves_a_server_before_tls_1_2(program, kind, mirror, rsa):
    server = mirror(rsa, "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0")
    # OpenSSL itself says no to TLS 1.0 at its usual level.
    level = "ciphers = ALL:@SECLEVEL=0\n" if kind == "stunnel" else ""
    is_mirrored(program((SECTION + "sslVersion = TLSv1\n" + level).format(address=server.address)))


def test_what_is_offered_without_ciphers(program, kind, keep, tmp_path, serve):
    """Nothing that stunnel would not offer before TLS 1.3, and all of it that GnuTLS has."""
    server = serve(lambda peer: hellos.append(client_hello(peer)))
    hellos = []
    running = program(SECTION.format(address=server.address))
    with running.connect("svc"):
        eventually(lambda: hellos, "a ClientHello")
    suites = [suite for suite in hellos[0] if suite >> 8 not in (0x13, 0x56) and suite != 0xff]
    aria = {0xc050, 0xc051, 0xc052, 0xc053, 0xc05c, 0xc05d, 0xc060, 0xc061}
    # OpenSSL 3.2 and newer do not call these HIGH any more; ours follow 3.0.
    ccm8 = {0xc0a0, 0xc0a1, 0xc0ae, 0xc0af} if kind == "stunnel" else set()
    assert set(suites) - aria | ccm8 == {
        0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc0af, 0xc0ad, 0xc02b, 0xc02f, 0xc0ae, 0xc0ac, 0xc024, 0xc028,
        0xc073, 0xc077, 0xc023, 0xc027, 0xc072, 0xc076, 0xc00a, 0xc014, 0xc009, 0xc013, 0x9d, 0xc0a1,
        0xc09d, 0x9c, 0xc0a0, 0xc09c, 0x3d, 0xc0, 0x3c, 0xba, 0x35, 0x84, 0x2f, 0x41}
    assert bool(aria & set(suites)) == (kind == "stunnel")


def client_hello(peer):
    """The cipher suites in the first record."""
    head = peer.recv_exact(5)
    hello = peer.recv_exact(int.from_bytes(head[3:], "big"))[38:]
    hello = hello[1 + hello[0]:]
    size = int.from_bytes(hello[:2], "big")
    return [int.from_bytes(hello[at:at + 2], "big") for at in range(2, 2 + size, 2)]


@pytest.mark.parametrize("lines, options, suite", [
    ("ciphersuites = TLS_AES_128_GCM_SHA256\n",
     ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"], "ECDHE-RSA-AES256-GCM-SHA384"),
    # The server would take another one first.
    ("ciphersuites = TLS_AES_128_GCM_SHA256\n",
     ["-serverpref", "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"],
     "TLS_AES_128_GCM_SHA256"),
    ("ciphers = ECDHE-RSA-AES256-GCM-SHA384\n",
     ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "TLS_CHACHA20_POLY1305_SHA256"),
    ("ciphers = ECDHE-RSA-AES256-GCM-SHA384\n",
     ["-tls1_2", "-serverpref", "-cipher",
      "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"], "ECDHE-RSA-AES256-GCM-SHA384"),
    ("ciphers = AES128-SHA\n", ["-ciphersuites", "TLS_AES_256_GCM_SHA384"], "TLS_AES_256_GCM_SHA384"),
    # Not all that can be made of the parts of these.
    ("ciphers = ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA256:AES128-SHA256:"
     "RSA+RC4-SHA\n",
     ["-tls1_2", "-serverpref", "-cipher", "AES256-GCM-SHA384:AES256-SHA256"], "AES256-SHA256"),
    ("ciphers = ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA\n",
     ["-tls1_2", "-serverpref", "-cipher",
      "AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA"], "ECDHE-RSA-AES256-SHA"),
])
def test_list_is_offered_whatever_else_the_server_has(program, kind, mirror, pki, rsa, lines,
                                                      options, suite):
    server = mirror(rsa, *options)
    is_mirrored(program((SECTION + VERIFIED + lines).format(address=server.address,
                                                            ca=pki.ca.file)), times=4)
    seen = chosen(server)
    assert seen[-1] == suite
    if kind == "stunnel":
        assert seen == [suite] * 4
    else:
        # What it chose outside the list was broken off, once for each worker at most.
        assert seen.count(suite) == 4


def test_list_that_the_server_has_nothing_of_is_refused(program, mirror, rsa):
    server = mirror(rsa, "-tls1_2", "-cipher", "AES256-GCM-SHA384")
    running = program((SECTION + "ciphers = ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA256\n").format(
        address=server.address))
    assert running.connect("svc").expect_reset() == b""


@pytest.mark.parametrize("options", [
    ["-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256"],
    ["-tls1_2", "-cipher", "PSK-AES128-CBC-SHA"],
    ["-tls1_2", "-cipher", "PSK-AES256-CBC-SHA384"],
    ["-tls1_2", "-cipher", "ECDHE-PSK-AES128-CBC-SHA"],
    ["-tls1_3"],
])
def test_pre_shared_key_without_ciphers(program, mirror, tmp_path, options):
    secrets = tmp_path / "psk.txt"
    secrets.write_text(PSK + "\n")
    secrets.chmod(0o600)
    identity, key = PSK.split(":")
    server = mirror(None, "-psk_identity", identity, "-psk", key, *options)
    is_mirrored(program((SECTION + "PSKsecrets = {secrets}\n").format(
        address=server.address, secrets=secrets)))


def test_server_with_x448_alone(program, mirror, pki, rsa):
    server = mirror(rsa, "-groups", "X448")
    is_mirrored(program((SECTION + VERIFIED).format(address=server.address, ca=pki.ca.file)))


def test_peer_is_one_of_a_folder(program, mirror, pki, rsa, tmp_path):
    folder = tmp_path / "peers"
    folder.mkdir()
    shutil.copy(pki.leaf().cert_file, folder / "other.pem")
    shutil.copy(rsa.cert_file, folder / "server.pem")
    subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
    text = SECTION + "verifyPeer = yes\nCApath = {folder}\n"
    is_mirrored(program(text.format(address=mirror(rsa).address, folder=folder)))
    stranger = mirror(pki.leaf("rsa-stranger", key="rsa2048"))
    running = program(text.format(address=stranger.address, folder=folder))
    assert running.connect("svc").expect_reset() == b""


def trusted(path, cert_file, key_file=None, *options):
    """The certificate as `openssl x509 -trustout` writes it, and a key behind it."""
    subprocess.run(["openssl", "x509", "-in", cert_file, "-trustout", "-out", path, *options],
                   check=True, capture_output=True)
    assert "BEGIN TRUSTED CERTIFICATE" in path.read_text()
    if key_file:
        path.write_text(path.read_text() + key_file.read_text())
        path.chmod(0o600)
    return path


def test_client_certificate_may_be_a_trusted_one(program, mirror, pki, rsa, tmp_path):
    own = pki.leaf("client", purposes=[CLIENT_AUTH])
    shown = trusted(tmp_path / "own.pem", own.cert_file, own.key_file, "-addtrust", "clientAuth",
                    "-setalias", "mine")
    server = mirror(rsa, "-verify", "1", "-CAfile", pki.ca.file)
    is_mirrored(program((SECTION + "cert = {cert}\n").format(address=server.address, cert=shown)))
    assert re.search("^Peer certificate: CN ?= ?client$", server.text(), re.MULTILINE)


@pytest.mark.parametrize("trust, is_served", [
    ([], True), (["-addtrust", "serverAuth"], True), (["-addreject", "clientAuth"], True),
    (["-addtrust", "clientAuth"], False), (["-addreject", "serverAuth"], False)])
@pytest.mark.parametrize("kind", ["tunnel", "converted"], indirect=True)
def test_improvement_authority_may_be_a_trusted_one(program, mirror, pki, rsa, tmp_path, trust,
                                                    is_served):
    ca = trusted(tmp_path / "ca.pem", pki.ca.file, None, *(trust or ["-setalias", "test"]))
    text = (SECTION + VERIFIED).format(address=mirror(rsa).address, ca=ca)
    if is_served:
        is_mirrored(program(text))
    else:
        with pytest.raises(AssertionError, match="is not trusted for servers"):
            program(text)


@pytest.mark.parametrize("dead", [0, 1])
def test_one_of_two_proxies(program, keep, mirror, rsa, dead):
    server = mirror(rsa)
    proxies = [keep(HttpProxy({"server.test:443": server.address})) for _ in range(2)]
    addresses = [proxy.address for proxy in proxies]
    proxies[dead].stop()
    running = program("client = yes\n[svc]\naccept = 127.0.0.1:0\n"
                      f"connect = {addresses[0]}\nconnect = {addresses[1]}\n"
                      "protocol = connect\nprotocolHost = server.test:443\n")
    is_mirrored(running, times=3)
    assert proxies[1 - dead].asked == ["server.test:443"] * 3


def test_improvement_proxy_that_refuses_is_passed_over(program, kind, keep, mirror, rsa):
    server = mirror(rsa)
    wrong, right = keep(HttpProxy({})), keep(HttpProxy({"server.test:443": server.address}))
    running = program("client = yes\n[svc]\naccept = 127.0.0.1:0\n"
                      f"connect = {wrong.address}\nconnect = {right.address}\n"
                      "protocol = connect\nprotocolHost = server.test:443\n")
    if kind == "stunnel":
        assert running.connect("svc").expect_reset() == b""
    else:
        is_mirrored(running)
    assert wrong.asked[0] == "server.test:443"


@pytest.mark.parametrize("kind", ["stunnel", "tunnel"], indirect=True)
def test_words_behind_the_file_are_ignored(kind, keep, mirror, rsa, tmp_path):
    text = (HEAD + SECTION).format(address=mirror(rsa).address)
    argv = arguments(kind, tmp_path, text)
    words = ["192.0.2.1", "rsync", "--server", "--daemon", "-f", "."]
    is_mirrored(keep(Running(kind, [*argv, *words], tmp_path)))


@pytest.mark.parametrize("kind", ["stunnel", "tunnel"], indirect=True)
@pytest.mark.parametrize("source", ["pipe", "file"])
def test_file_is_read_from_a_descriptor(kind, keep, mirror, rsa, tmp_path, source):
    text = (HEAD + SECTION).format(address=mirror(rsa).address)
    binary, path = arguments(kind, tmp_path, text)
    if source == "pipe":
        fd, other = os.pipe()
        os.write(other, text.encode())
        os.close(other)
    else:
        fd = os.open(path, os.O_RDONLY)
    running = keep(Running(kind, [binary, "-fd", str(fd)], tmp_path, pass_fds=[fd]))
    os.close(fd)
    is_mirrored(running)


class Running(Program):
    """A program with another command line than the usual one."""

    def __init__(self, kind, argv, folder, **kwargs):
        self.kind, self.is_stunnel, self.folder = kind, kind == "stunnel", folder
        Background.__init__(self, argv, folder, kind, cwd=folder, **kwargs)
        ready = "Accepting new connections" if self.is_stunnel else "ready: serving"
        self.wait_until(lambda: ready in self.text(), "is ready")


def test_log_is_on_standard_error_and_in_the_file(program, kind, mirror, rsa, tmp_path):
    log = tmp_path / "service.log"
    head = f"pid =\nforeground = yes\ndebug = info\noutput = {log}\n"
    running = program(SECTION.format(address=mirror(rsa).address), head=head)
    is_mirrored(running)
    closed = "Connection closed" if kind == "stunnel" else "connection ended"
    for text in (running.text, log.read_text):
        eventually(lambda text=text: text().count(closed) == 2, "both connections are logged")


def test_pid_file_that_names_another_living_process(program, kind, mirror, rsa, tmp_path):
    path = tmp_path / "service.pid"
    path.write_text(f"{os.getpid()}\n")
    head = f"pid = {path}\nforeground = yes\ndebug = info\n"
    text = SECTION.format(address=mirror(rsa).address)
    running = program(text, head=head)
    is_mirrored(running)
    assert path.read_text() == f"{running.process.pid}\n"
    if kind != "stunnel":
        assert f"named process {os.getpid()}, which is not a tunnel with this file" in running.text()
        with pytest.raises(AssertionError, match=f"running process .{running.process.pid}"):
            program(text, head=head)


def test_balance_with_empty_ports(run):
    done = run("convert", "--", "balance", "imap", "10.0.0.1::12", "10.0.0.2::12")
    assert done.returncode == 0, done.stderr
    assert ('connect = [{ address = "10.0.0.1:143", max_connections = 12 }, '
            '{ address = "10.0.0.2:143", max_connections = 12 }]') in done.stdout
