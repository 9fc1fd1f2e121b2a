# SPDX-License-Identifier: MIT
"""The harness itself, without a tunnel: a broken peer must not look like a broken tunnel."""

import socket
import ssl
import struct
import subprocess
import tomllib

import pytest
from harness import dns as dns_module
from harness import server as scripts
from harness import toml
from harness.crafted import CraftedWriter
from harness.peer import Peer
from harness.programs import GnutlsServer, Nginx, OpensslServer
from harness.slapd import Slapd, modify, search


def tls_client(pki, address):
    """An ordinary, verifying TLS client by python's ssl."""
    context = ssl.create_default_context(cafile=pki.ca.file)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    peer = Peer.connect(address)
    return context.wrap_socket(peer.sock, server_hostname="localhost", suppress_ragged_eofs=False)


def test_toml_reads_back_as_it_was():
    config = {"foreground": True, "n": 3, "a": ["x", 'q"\\'], "svc": {
        "connect": [["a:1"], [{"address": "b:2", "weight": 3}]], "tls": {"pin": ["sha256:00"]}}}
    assert tomllib.loads(toml.dumps(config)) == config


def test_reset_and_eof_are_told_apart(serve):
    with Peer.connect(serve(lambda peer: peer.reset()).address) as client:
        assert client.expect_reset() == b""
    with Peer.connect(serve(lambda peer: peer.send(b"bye")).address) as client:
        assert client.expect_eof() == b"bye"


def test_scripts_that_fail_fail_the_test():
    def script(peer):
        assert peer.recv() == b"something else"

    server = scripts.Server(script)
    with Peer.connect(server.address) as client:
        client.send(b"hello")
        client.read_to_end()
    with pytest.raises(AssertionError):
        server.stop()


def test_a_full_backlog_neither_answers_nor_refuses(keep):
    full = keep(scripts.FullBacklog())
    with pytest.raises(TimeoutError):
        Peer.connect(full.address, timeout=0.3)


def test_tls_server_relays_and_half_closes(pki, serve_tls):
    server = serve_tls(scripts.echo)
    with tls_client(pki, server.address) as client:
        client.sendall(b"x" * 100000)
        got = b""
        while len(got) < 100000:
            got += client.recv(65536)
        client = client.unwrap()
        assert client.recv(1) == b""


def test_tls_server_can_truncate_and_reset(pki, serve_tls):
    def truncate(peer):
        peer.send(b"cut")
        peer.fin()

    with tls_client(pki, serve_tls(truncate).address) as client:
        assert client.recv(10) == b"cut"
        with pytest.raises(ssl.SSLError, match="(?i)eof"):
            client.recv(10)
    with tls_client(pki, serve_tls(lambda peer: peer.reset()).address) as client:
        with pytest.raises(OSError):  # python's ssl takes some resets for an early end
            client.recv(10)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tls_server_keeps_to_its_version(pki, serve_tls, version):
    wanted = ssl.TLSVersion[version]
    with tls_client(pki, serve_tls(scripts.echo, minimum=wanted, maximum=wanted).address) as client:
        assert client.version() == version.replace("_", ".")


@pytest.mark.parametrize("label, wanted", [
    ("expired", "expired"), ("not_yet_valid", "not yet valid"), ("wrong_name", "ostname mismatch"),
    ("untrusted", "unable to get local issuer"), ("client_only", "purpose"),
    ("weak_key", "key too weak"), ("sha1", "digest algorithm too weak|signature digest|md too weak"),
])
def test_bad_certificates_are_bad(pki, serve_tls, label, wanted):
    server = serve_tls(scripts.echo, getattr(pki, label))
    with pytest.raises(ssl.SSLCertVerificationError, match=wanted):
        tls_client(pki, server.address)


def test_revocation_list_revokes(pki, serve_tls):
    crl = pki.intermediate.crl("harness", revoked=[pki.revoked])
    server = serve_tls(scripts.echo, pki.revoked)
    context = ssl.create_default_context(cafile=pki.ca.file)
    context.load_verify_locations(crl)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        context.wrap_socket(Peer.connect(server.address).sock, server_hostname="localhost")


def test_crafted_records_are_understood(pki, serve_tls, tmp_path):
    keylog = tmp_path / "keys"

    def script(peer):
        writer = CraftedWriter(peer, keylog)
        writer.send(b"")
        writer.send(b"one", padding=100)
        writer.key_update(request_reply=True)
        writer.send(b"two")
        assert peer.recv_exact(5) == b"reply"
        writer.alert(80)

    server = serve_tls(script, tickets=0, keylog=keylog, minimum=ssl.TLSVersion.TLSv1_3)
    with tls_client(pki, server.address) as client:
        assert client.recv(3) + client.recv(3) == b"onetwo"
        client.sendall(b"reply")
        with pytest.raises(ssl.SSLError, match="internal error"):
            client.recv(1)


def ask(server, name, kind, tcp=False):
    """(rcode, truncated, number of answers)"""
    question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + dns_module._encode_name(name)
    question += struct.pack("!HH", dns_module.TYPES[kind], 1)
    host, port = server.address.split(":")
    if tcp:
        with Peer.connect(server.address) as peer:
            peer.send(struct.pack("!H", len(question)) + question)
            reply = peer.recv_exact(struct.unpack("!H", peer.recv_exact(2))[0])
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.sendto(question, (host, int(port)))
            reply = sock.recv(4096)
    number, flags, _, answers, _, _ = struct.unpack_from("!HHHHHH", reply)
    assert number == 7
    return flags & 15, bool(flags & 0x200), answers


def test_dns_server_answers_as_scripted(dns):
    dns.set("A.test", "A", ["127.0.0.1", "127.0.0.2"])
    dns.set("_ldap._tcp.test", "SRV", [(1, 2, 389, "a.test")])
    assert ask(dns, "a.test", "A") == (0, False, 2)
    assert ask(dns, "a.test", "AAAA") == (0, False, 0)
    assert ask(dns, "_ldap._tcp.test", "SRV") == (0, False, 1)
    assert ask(dns, "b.test", "A")[0] == 3
    dns.fail("a.test")
    assert ask(dns, "a.test", "A")[0] == 2
    dns.set("a.test", "A", ["127.0.0.1"])
    dns.truncate("a.test")
    assert ask(dns, "a.test", "A") == (0, True, 0)
    assert ask(dns, "a.test", "A", tcp=True) == (0, False, 1)
    assert dns.count("a.test", "A") == 4


@pytest.mark.needs("dig")
def test_dns_server_speaks_to_dig(dns):
    dns.set("a.test", "A", ["127.0.0.9"])
    host, port = dns.address.split(":")
    out = subprocess.run(["dig", f"@{host}", "-p", port, "+short", "a.test"], capture_output=True)
    assert out.stdout == b"127.0.0.9\n"


@pytest.mark.needs("gnutls-serv")
def test_gnutls_server_echoes(pki, tmp_path, keep):
    server = keep(GnutlsServer(tmp_path, pki.leaf()))
    with tls_client(pki, server.address) as client:
        client.sendall(b"hello\n")
        assert client.recv(100) == b"hello\n"


@pytest.mark.needs("openssl")
def test_openssl_server_reverses_lines(pki, tmp_path, keep):
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-rev"))
    with tls_client(pki, server.address) as client:
        client.sendall(b"hello\n")
        assert client.recv(100) == b"olleh\n"


@pytest.mark.needs("nginx")
def test_nginx_serves_both_ways(pki, tmp_path, keep, serve):
    with tls_client(pki, keep(Nginx(tmp_path, pki.leaf())).address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in client.recv(1000)
    backend = serve(scripts.echo)
    with tls_client(pki, keep(Nginx(tmp_path, pki.leaf(), backend.address)).address) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"


@pytest.mark.needs("slapd", "ldapsearch")
def test_slapd_finds_and_changes(pki, tmp_path, keep):
    slapd = keep(Slapd(tmp_path, pki.leaf(), people=10))
    assert search(slapd.plain_address, "(uid=*)", "uid").count(b"\nuid: ") == 10
    modify(slapd.plain_address, "dn: uid=user00001,ou=people,dc=example,dc=test\n"
           "changetype: modify\nreplace: sn\nsn: Changed\n")
    assert b"sn: Changed" in search(slapd.plain_address, "(uid=user00001)")
    with tls_client(pki, slapd.tls_address):
        pass
