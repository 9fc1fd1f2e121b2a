# SPDX-License-Identifier: MIT
"""Captures of what goes over the network, which tshark decrypts with the keys in the file."""

import ssl

import pytest
from harness.capture import assert_no_remarks, fields, ring
from harness.pki import CLIENT_AUTH
from harness.server import echo

pytestmark = pytest.mark.needs("tshark")

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
versions = pytest.mark.parametrize("version", VERSIONS)
WORD = b"a secret word that nobody else says"


@pytest.fixture
def captured(relay, tmp_path):
    """captured(server, tls) runs a tunnel, lets a client say WORD, waits until it has closed, and
    gives back its capture, its closed line, and what the client got, followed by how it ended."""
    def captured(server, **tls):
        tunnel = relay(server, capture={"file": f"{tmp_path}/svc.pcapng", "layer": "wire"}, tls=tls)
        client = tunnel.connect("svc")
        client.send(WORD)
        client.half_close()
        end = client.read_to_end()
        client.close()
        closed = tunnel.closed()
        assert tunnel.terminate() in (0, 1)
        [file] = ring(tmp_path)
        # In the clear is nothing of it, wherever in the file.
        assert WORD not in open(file, "rb").read()
        return file, closed, end
    return captured


def decrypted(file):
    rows = fields(file, "tls.app_data and data", "data.data")
    return bytes.fromhex("".join(row[0] for row in rows))


def comments(file):
    return " ".join(row[0] for row in fields(file, "frame.comment", "frame.comment"))


@versions
def test_a_session_is_decrypted(captured, serve_tls, version):
    server = serve_tls(echo)
    file, closed, end = captured(server, max_version=version)
    assert end == (WORD, "eof") and closed["kind"] == "ok"
    assert decrypted(file) == WORD * 2
    assert {row[0] for row in fields(file, "tls.handshake.type == 20", "tcp.dstport")} >= {
        str(server.port)}  # both Finished are readable
    assert_no_remarks(file)


@versions
def test_a_resumed_session_is_decrypted(relay, serve_tls, tmp_path, version):
    t = relay(serve_tls(echo), capture={"file": f"{tmp_path}/svc.pcapng", "layer": "wire"},
              tls={"max_version": version})
    for count in (1, 2):
        client = t.connect("svc")
        client.send(WORD)
        assert client.recv_exact(len(WORD)) == WORD
        client.close()
        assert t.closed(count)["resumed"] == (count == 2)
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert decrypted(file) == WORD * 4
    assert_no_remarks(file)


@versions
def test_a_wrong_name_is_seen_with_the_certificate_that_has_another(captured, serve_tls, version):
    file, closed, end = captured(serve_tls(echo), name="another.example.com", max_version=version)
    assert end == (b"", "reset") and closed["kind"] == "cert_name_mismatch"
    # In TLS 1.3 the certificate is encrypted.
    [[names]] = fields(file, "tls.handshake.type == 11", "x509ce.dNSName")
    assert "server.test" in names
    assert fields(file, "tls.alert_message.desc == 42", "frame.number")  # bad_certificate, by us
    assert "another.example.com" in comments(file)


@versions
def test_a_refused_client_certificate_is_seen_with_the_alert(captured, serve_tls, pki, version):
    stranger = pki.stranger.issue(f"captured-{version}", purposes=[CLIENT_AUTH])
    server = serve_tls(echo, minimum=VERSIONS[version], maximum=VERSIONS[version],
                        client_ca=pki.ca)
    file, closed, end = captured(server, cert=str(stranger.chain_file), key=str(stranger.key_file))
    assert end == (b"", "reset") and closed["kind"] == "client_cert_rejected"
    assert len(fields(file, "tls.handshake.type == 13", "frame.number")) == 1  # what it asked for
    sent = fields(file, f"tls.handshake.type == 11 and tcp.dstport == {server.port}",
                  "x509sat.uTF8String")
    assert f"captured-{version}" in sent[0][0]
    [[port]] = fields(file, "tls.alert_message.desc == 48", "tcp.srcport")  # unknown_ca, by it
    assert port == str(server.port)
    assert "kind=client_cert_rejected" in comments(file)
