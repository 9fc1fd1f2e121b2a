# SPDX-License-Identifier: MIT
"""What servers call themselves, and how they greet, harms nobody who reads of it."""

import json

import pytest
from harness import web
from harness.metrics import scrape
from harness.pki import Authority
from harness.server import echo

RTL, ZERO = "\u202e", "\u200b"
NAME = f"<script>alert(1)</script>\"'&{RTL}{ZERO}x"
GREETING = b"220 <img src=x onerror=alert(1)> \"'& \xff\xfe \xe2\x80\xae\x1b[2J\r\n"


def is_harmless(text):
    return not any(bad in text for bad in (RTL, ZERO, "\x1b", "<script", "<img", "onerror=alert(1)>"))


@pytest.fixture
def told(start, pki):
    """told(target): a client has failed there; what page, JSON, metrics and log say of it."""

    def told(target, **more):
        tunnel = start({"status": "127.0.0.1:0", **more, "svc": {
            "accept": "127.0.0.1:0", "connect": target, "tls": {"ca": str(pki.ca.file)},
            "health": {"eject_time": "1h", "eject_max": "1h"}}})
        tunnel.connect("svc").read_to_end()
        line = tunnel.closed()
        address = web.address_of(tunnel)
        page = web.get(address, "/").body
        status = web.get(address, "/status.json").json()
        return tunnel, line, page, status, scrape(address)

    return told


def check(told_of):
    tunnel, line, page, status, metrics = told_of
    assert is_harmless(page) and line["kind"] in page
    why = status["services"][0]["targets"][0]["why"]
    assert why and not any(bad in why for bad in (RTL, ZERO, "\x1b", "\n", "\x00"))
    assert status["problems"]
    for each in metrics.samples.values():
        for labels in each:
            assert not any(bad in value for _, value in labels for bad in (RTL, "<", "\x1b"))
    for text in tunnel.log.text().splitlines():
        assert not any(bad in text for bad in (RTL, ZERO, "\x1b"))
        if text.startswith("{"):
            json.loads(text)


def test_a_certificate_with_markup_in_its_name(told, serve_tls, pki):
    identity = pki.ca.issue("hostile", names=(), addresses=(), uris=("urn:<b>bold</b>",),
                            common_name=NAME)
    told_of = told(serve_tls(echo, identity=identity).address)
    assert told_of[1]["kind"] == "cert_name_mismatch"
    check(told_of)


def test_a_certificate_for_a_dns_name_with_markup(told, serve_tls, pki):
    identity = pki.ca.issue("hostile-dns", addresses=(), common_name="x",
                            names=("<script>alert(1)</script>\"'&\n\x1b[2J.test",))
    told_of = told(serve_tls(echo, identity=identity).address)
    assert told_of[1]["kind"] == "cert_name_mismatch"
    check(told_of)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.corp.test", "a\"'&\n\x1b[2J.corp.test",
                                  f"{RTL}{ZERO}.corp.test", "\x00.corp.test"])
def test_dns_names_a_server_with_markup(told, dns, name):
    dns.set("_ldap._tcp.corp.test", "SRV", [(0, 0, 1, name)])
    dns.set(name, "A", ["127.0.0.1"])
    told_of = told("srv:_ldap._tcp.corp.test", dns_servers=[dns.address])
    tunnel, line, page, status, metrics = told_of
    assert line["kind"] != "ok" and is_harmless(page)
    assert not any(bad in page for bad in ("\x1b", "\x00"))
    for text in tunnel.log.text().splitlines():
        assert not any(bad in text for bad in (RTL, ZERO, "\x1b", "\x00"))
    for each in metrics.samples.values():
        for labels in each:
            assert not any(bad in value for _, value in labels for bad in (RTL, "<", "\x1b", "\x00"))
    assert all(is_harmless(t["target"]) for t in status["services"][0]["targets"])


def test_an_authority_with_markup_in_its_name(told, serve_tls, pki, tmp_path):
    stranger = Authority(tmp_path, NAME.replace("/", "-"))
    told_of = told(serve_tls(echo, identity=stranger.issue("of-a-stranger")).address)
    assert told_of[1]["kind"] == "cert_untrusted"
    check(told_of)


def test_a_greeting_with_markup_and_escape_sequences(told, serve):
    def greet(peer):
        peer.send(GREETING)
        peer.read_to_end()

    told_of = told(serve(greet).address)
    assert told_of[1]["kind"] == "not_tls"
    check(told_of)
