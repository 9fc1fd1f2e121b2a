# SPDX-License-Identifier: MIT
"""The failure table, third part: certificates, names, pins and revocation lists; and next to each
refusal the case that must pass."""

import ssl

import pytest
from harness import expect
from harness.pki import Identity
from harness.server import echo


@pytest.mark.parametrize("label, kind, sentence", [
    ("expired", "cert_expired", ["expired"]),
    ("not_yet_valid", "cert_not_yet_valid", ["not yet valid|valid (only )?from|clock"]),
    ("wrong_name", "cert_name_mismatch", [r"other\.test", r"127\.0\.0\.1", r"tls\.name"]),
    ("untrusted", "cert_untrusted", [r"trust|issuer|authority", r"\bca\b"]),
    ("weak_key", "cert_weak", ["weak|short|bits"]),
    ("sha1", "cert_weak", ["SHA-?1|weak"]),
])
def test_bad_certificate(relay, pki, serve_tls, label, kind, sentence):
    server = serve_tls(echo, getattr(pki, label))
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, kind, *sentence)
    assert server.wait_for_handshake_error()


def test_certificate_for_clients_only(relay, pki, serve_tls):
    server = serve_tls(echo, pki.client_only)
    tunnel = relay(server)
    assert tunnel.connect("svc").expect_reset() == b""
    assert tunnel.closed()["kind"].startswith("cert_")


def test_server_forgets_its_intermediate(relay, pki, serve_tls):
    leaf = pki.leaf("lonely")
    lonely = Identity(pki.folder, "without-intermediate", leaf.cert, leaf.key, [])
    server = serve_tls(echo, lonely)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_untrusted")


def test_system_store_does_not_know_our_ca(start, serve_tls):
    server = serve_tls(echo)
    tunnel = start({"svc": {"accept": "127.0.0.1:0", "connect": server.address}})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_untrusted")


def test_intermediate_as_the_only_trust_anchor(relay, pki, serve_tls):
    tunnel = relay(serve_tls(echo), tls={"ca": pki.intermediate.file})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


@pytest.mark.parametrize("tls", [
    {"name": "server.test"}, {"name": ["elsewhere.test", "localhost"]}, {"name": "127.0.0.2"},
], ids=["dns", "one-of-several", "ip"])
def test_acceptable_name(relay, serve_tls, tls):
    tunnel = relay(serve_tls(echo), tls=tls)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_chain_alone_minds_no_name(relay, pki, serve_tls):
    tunnel = relay(serve_tls(echo, pki.wrong_name), tls={"verify": "chain"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    expired = relay(serve_tls(echo, pki.expired), tls={"verify": "chain"})
    assert expired.connect("svc").expect_reset() == b""
    assert expired.closed()["kind"] == "cert_expired"


@pytest.mark.parametrize("name", ["elsewhere.test", "127.0.0.77", ["a.test", "b.test"]])
def test_name_that_the_certificate_lacks(relay, serve_tls, name):
    server = serve_tls(echo)
    tunnel = relay(server, tls={"name": name})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_name_mismatch",
                       r"server\.test|localhost", "a.test" if isinstance(name, list) else name)


def test_wildcard_certificate(relay, pki, serve_tls):
    identity = pki.leaf("wildcard", names=["*.wild.test"], addresses=[])
    server = serve_tls(echo, identity)
    tunnel = relay(server, tls={"name": "dc1.wild.test"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    deeper = relay(server, tls={"name": "a.dc1.wild.test"})
    expect.failed_dial(deeper, deeper.connect("svc"), server.address, "cert_name_mismatch")


def test_wildcard_that_is_a_part_of_a_label(relay, pki, serve_tls):
    server = serve_tls(echo, pki.leaf("part-of-a-label", names=["*c1.wild.test"], addresses=[]))
    tunnel = relay(server, tls={"name": "dc1.wild.test"})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_name_mismatch")


def test_uri_as_the_name(relay, pki, serve_tls):
    identity = pki.leaf("spiffe", names=[], addresses=[], uris=["spiffe://example.test/ldap"])
    server = serve_tls(echo, identity)
    tunnel = relay(server, tls={"name": "uri:spiffe://example.test/ldap"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    target = {"address": server.address, "name": "uri:spiffe://example.test/ldap"}
    tunnel = relay([target])
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    wrong = relay(server, tls={"name": "uri:spiffe://example.test/mail"})
    expect.failed_dial(wrong, wrong.connect("svc"), server.address, "cert_name_mismatch",
                       "is for \"uri:spiffe://example.test/ldap\"")


def test_address_that_is_text_only(relay, pki, serve_tls):
    identity = pki.leaf("address-as-text", names=["other.test"], addresses=[],
                        common_name="127.0.0.1")
    server = serve_tls(echo, identity)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_name_mismatch",
                       "only as text", "subjectAltName = IP:127.0.0.1")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_key_usage_that_does_not_fit(relay, pki, serve_tls, version):
    server = serve_tls(echo, pki.for_encipherment, minimum=version, maximum=version)
    tunnel = relay(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_key_usage",
                       "digitalSignature", "allow_key_usage_violation")
    for tls in {}, {"verify": "none"}:
        tunnel = relay(server, tls={"allow_key_usage_violation": True, **tls})
        expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_common_name_alone_is_no_name(relay, pki, serve_tls):
    """RFC 6125: where a certificate has alternative names, the subject's common name is no name."""
    identity = pki.leaf("common-name", names=["other.test"], addresses=[], common_name="cn.test")
    server = serve_tls(echo, identity)
    tunnel = relay(server, tls={"name": "cn.test"})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_name_mismatch")


@pytest.mark.parametrize("label", ["untrusted", "wrong_name", "expired", "weak_key"])
def test_verify_none_lets_everything_pass_and_warns(relay, pki, serve_tls, label):
    tunnel = relay(serve_tls(echo, getattr(pki, label)), tls={"verify": "none"})
    warning = tunnel.log.wait_for(level="warning")
    assert "verif" in warning["msg"] and "svc" in str(warning)
    if label != "weak_key":  # strength is the priority string's, not verification's
        expect.served_to_the_end(tunnel, tunnel.connect("svc"))


# Pins.

def test_pin_in_addition_to_the_chain(relay, pki, serve_tls):
    tunnel = relay(serve_tls(echo), tls={"pin": ["sha256:" + "00" * 32, pki.leaf().pin]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_wrong_pin(relay, pki, serve_tls):
    server = serve_tls(echo)
    tunnel = relay(server, tls={"pin": [pki.expired.pin]})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "pin_mismatch", r"\bpin")


def test_pin_does_not_excuse_a_bad_chain(relay, pki, serve_tls):
    server = serve_tls(echo, pki.untrusted)
    tunnel = relay(server, tls={"pin": [pki.untrusted.pin]})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_untrusted")


def test_pin_alone(relay, pki, serve_tls):
    server = serve_tls(echo, pki.untrusted)
    tunnel = relay(server, tls={"verify": "pin", "pin": [pki.untrusted.pin]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    wrong = relay(server, tls={"verify": "pin", "pin": [pki.leaf().pin]})
    expect.failed_dial(wrong, wrong.connect("svc"), server.address, "pin_mismatch")


def test_pin_alone_still_minds_the_dates(relay, pki, serve_tls):
    server = serve_tls(echo, pki.expired)
    tunnel = relay(server, tls={"verify": "pin", "pin": [pki.expired.pin]})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_expired")


@pytest.mark.knows("tls.peer_certs")
def test_peer_certificates(relay, pki, serve_tls):
    server = serve_tls(echo, pki.untrusted)
    tunnel = relay(server, tls={"verify": "pin", "peer_certs": pki.untrusted.cert_file})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    wrong = relay(server, tls={"verify": "pin", "peer_certs": pki.leaf().cert_file})
    expect.failed_dial(wrong, wrong.connect("svc"), server.address, "pin_mismatch")


# Revocation lists.

def test_current_list_lets_others_pass(relay, pki, serve_tls):
    crl = pki.intermediate.crl("current", revoked=[pki.revoked])
    tunnel = relay(serve_tls(echo), tls={"crl": crl})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_revoked(relay, pki, serve_tls):
    server = serve_tls(echo, pki.revoked)
    tunnel = relay(server, tls={"crl": pki.intermediate.crl("revoking", revoked=[pki.revoked])})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "cert_revoked", "revoked")


@pytest.mark.parametrize("make", [
    lambda pki: pki.intermediate.crl("stale", days=(-40, -3)),
    lambda pki: pki.stranger.crl("foreign"),
    lambda pki: pki.ca.crl("of-the-root"),
], ids=["out-of-date", "foreign", "covers-only-the-intermediate"])
def test_list_that_does_not_cover_the_certificate(relay, pki, serve_tls, make):
    server = serve_tls(echo)
    tunnel = relay(server, tls={"crl": make(pki)})
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "crl_unusable",
                       r"CRL|revocation")


def test_several_lists(relay, pki, serve_tls):
    lists = [pki.ca.crl("root-list"), pki.intermediate.crl("intermediate-list")]
    tunnel = relay(serve_tls(echo), tls={"crl": lists})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
