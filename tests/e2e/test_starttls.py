# SPDX-License-Identifier: MIT
"""Plaintext conversations before TLS: what the client sees first, and what is refused."""

import ftplib
import os
import re
import smtplib

import pytest
from harness import expect
from harness.server import Server
from harness.slapd import SUFFIX, Slapd, search
from harness.starttls import DIALECTS, StarttlsServer, hear

pytestmark = pytest.mark.knows("starttls")

every_protocol = pytest.mark.parametrize("protocol", DIALECTS)
TLS = {"name": "server.test"}


@pytest.fixture
def speak(keep, pki):
    """speak(protocol, ...) starts a server (see StarttlsServer)."""
    return lambda protocol, identity=None, **kwargs: keep(
        StarttlsServer(DIALECTS[protocol], pki.context(identity), **kwargs))


@every_protocol
def test_greeting_then_data_both_ways(relay, speak, protocol):
    server = speak(protocol)
    tunnel = relay(server, starttls=protocol, tls=TLS)
    client = tunnel.connect("svc")
    assert client.recv_exact(len(server.shown)) == server.shown
    payload = b"hello " + os.urandom(200_000)
    expect.served(tunnel, client, payload)
    client.half_close()
    assert client.expect_eof() == b""  # nothing was shown twice
    closed = tunnel.closed()
    assert closed["kind"] == "ok", closed
    assert closed["tls"] and closed["preamble_ms"] >= 0
    assert server.handshakes == 1


@every_protocol
def test_refusal_carries_the_servers_own_words(relay, speak, protocol):
    server = speak(protocol, refuses=True)
    tunnel = relay(server, starttls=protocol, tls=TLS)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "starttls_refused",
                       re.escape(DIALECTS[protocol].words))
    server.wait_until_scripts_end()
    assert [end.data for end in server.refused] == [b""]  # and no ClientHello


@every_protocol
def test_bytes_behind_the_agreement_never_reach_the_client(relay, speak, protocol):
    server = speak(protocol, behind=b"INJECTED\r\n")
    tunnel = relay(server, starttls=protocol, tls=TLS)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "starttls_refused",
                       "in the clear", "INJECTED")
    server.wait_until_scripts_end()
    assert [end.data for end in server.refused] == [b""]


@every_protocol
@pytest.mark.parametrize("kind", ["starttls_refused", "cert_expired"])
def test_failover_shows_one_greeting(relay, speak, pki, protocol, kind):
    """Whether the first target fails in plaintext or in TLS, nobody hears of it."""
    bad = (speak(protocol, name="bad.test", refuses=True) if kind == "starttls_refused" else
           speak(protocol, name="bad.test", identity=pki.expired))
    good = speak(protocol, name="good.test")
    tunnel = relay([bad.address, good.address], starttls=protocol, tls=TLS, balance="first")
    client = tunnel.connect("svc")
    assert client.recv_exact(len(good.shown)) == good.shown
    expect.served(tunnel, client)
    client.half_close()
    assert client.expect_eof() == b""
    closed = tunnel.closed()
    assert closed["kind"] == "ok", closed
    assert (closed["target"], closed["tries"]) == (good.address, 2)
    assert tunnel.wait_for_event("ejected", target=bad.address)["kind"] == kind


@every_protocol
def test_port_that_hangs_up_is_refused_with_what_we_waited_for(relay, keep, protocol):
    server = keep(Server(lambda peer: peer.half_close() or peer.read_to_end()))
    tunnel = relay(server, starttls=protocol, tls=TLS)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "starttls_refused",
                       "closed the connection while we were waiting for")


@pytest.mark.parametrize("protocol, says, sentence", [
    ("smtp", b"554 no service for you\r\n", "554 no service for you"),
    ("imap", b"* PREAUTH logged in\r\n", "PREAUTH"),
    ("imap", b"* BYE too many connections\r\n", "BYE too many connections"),
    ("pop3", b"-ERR [SYS/TEMP] come back later\r\n", "come back later"),
    ("nntp", b"400 service discontinued\r\n", "400 service discontinued"),
    ("ftp", b"421 too many users\r\n", "421 too many users"),
    ("sieve", b'"SIEVE" "fileinto"\r\nOK "Ready."\r\n', "does not offer STARTTLS"),
    ("smtp", b"* OK IMAP ready\r\n", "looks like an IMAP server"),
    ("pgsql", b"N", "does not offer TLS"),
    ("xmpp", b"HTTP/1.1 400 Bad Request\r\n\r\n", "looks like an HTTP server"),
])
def test_server_that_greets_with_something_else(relay, serve, protocol, says, sentence):
    server = serve(lambda peer: peer.send(says) or peer.read_to_end())
    tunnel = relay(server, starttls=protocol, tls=TLS)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "starttls_refused",
                       re.escape(sentence))


@pytest.mark.parametrize("protocol", ["smtp", "pop3"])
def test_server_that_drops_starttls_from_what_it_offers(relay, serve, protocol):
    """What somebody in between would do: the dial fails, and nothing goes on in the clear."""
    heard = []

    def strip(peer):
        if protocol == "smtp":
            peer.send(b"220 one.test\r\n")
            heard.append(peer.recv())
            peer.send(b"250-one.test\r\n250 XXXXXXXX\r\n")
        else:
            peer.send(b"+OK one.test\r\n")
            heard.append(peer.recv())
            peer.send(b"-ERR unknown command\r\n")
        heard.append(peer.read_to_end().data)

    server = serve(strip)
    tunnel = relay(server, starttls=protocol, tls=TLS)
    client = tunnel.connect("svc")
    client.send(b"a secret")
    expect.failed_dial(tunnel, client, server.address, "starttls_refused",
                       "does not offer STARTTLS" if protocol == "smtp" else "unknown command")
    server.wait_until_scripts_end()
    assert b"a secret" not in b"".join(heard)


# Somebody in between adds lines to a greeting, which comes in the clear: to the application, which
# sees no STARTTLS, they would be the server's answers to its first commands.
@pytest.mark.parametrize("protocol, greeting, refused", [
    ("smtp", b"220-one.test\r\n250-one.test\r\n250 AUTH PLAIN\r\n220 hi\r\n", "250-one.test"),
    ("smtp", b"220-one.test\r\nfree text\r\n220 hi\r\n", "free text"),
    ("lmtp", b"220-one.test\r\n235 you are joe\r\n220 hi\r\n", "235 you are joe"),
    ("nntp", b"200-one.test\r\n281 welcome, joe\r\n200 hi\r\n", "200-one.test"),
    ("ftp", b"220-one.test\r\n230 logged in\r\n220 hi\r\n", "230 logged in"),
    ("ftp", b"220-one.test\r\n220x\r\n220 hi\r\n", "220x"),
    ("imap", b"* OK [CAPABILITY IMAP4rev1] hi {200}\r\n", "a literal where none can be"),
])
def test_answers_hidden_in_a_greeting_are_refused(relay, serve, protocol, greeting, refused):
    server = serve(lambda peer: peer.send(greeting) or peer.read_to_end())
    tunnel = relay(server, starttls=protocol, tls=TLS)
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "starttls_refused",
                       re.escape(refused))


def esmtp(peer):
    """An SMTP server without a word too many, once TLS is up."""
    hear(peer, re.compile(rb"(?i)ehlo \S+\r\n"))
    peer.send(b"250-one.test\r\n250 SIZE 1000\r\n")
    hear(peer, re.compile(rb"(?i)quit\r\n"))
    peer.send(b"221 bye\r\n")
    peer.read_to_end()


def test_smtplib_sees_only_what_is_offered_in_tls(relay, speak):
    """The forged answer to EHLO comes along with the greeting; the true one is held back."""
    server = speak("smtp", script=esmtp)
    server.dialect = server.dialect._replace(
        greeting=b"220 one.test\r\n250-one.test\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n",
        questions=((re.compile(rb"EHLO \S+\r\n"), b""), b"STARTTLS\r\n"))
    tunnel = relay(server, starttls="smtp", tls=TLS)
    host, port = tunnel.address("svc").rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=60) as client:
        client.ehlo()
        assert client.esmtp_features == {"size": "1000"}


def test_lone_carriage_return_in_a_greeting_hides_no_answer_from_ftplib(relay, speak):
    def answer(peer):
        hear(peer, b"USER joe\r\n")
        peer.send(b"530 go away\r\n")
        peer.read_to_end()

    server = speak("ftp", script=answer)
    server.dialect = server.dialect._replace(
        greeting=b"120 soon\r\n220-hi\r\n free\r230 logged in\r\n220 one.test\r230 logged in\r\n")
    tunnel = relay(server, starttls="ftp", tls=TLS)
    host, port = tunnel.address("svc").rsplit(":", 1)
    client = ftplib.FTP(timeout=60)
    welcome = client.connect(host, int(port))
    assert welcome.splitlines() == ["220-hi", " free 230 logged in", "220 one.test 230 logged in"]
    with pytest.raises(ftplib.error_perm, match="530 go away"):
        client.login("joe", "secret")
    client.close()


def test_tls_port_where_starttls_is_expected_says_so(relay, serve_tls):
    server = serve_tls(lambda peer: peer.read_to_end())
    tunnel = relay(server, starttls="smtp", tls=TLS, timeouts={"handshake": "300ms"})
    tunnel.connect("svc").expect_reset()
    assert "remove starttls" in tunnel.wait_for_event("dial_failed")["msg"]


def test_pgsql_requests_for_encryption_are_answered_here(relay, speak):
    server = speak("pgsql")
    tunnel = relay(server, starttls="pgsql", tls=TLS)
    client = tunnel.connect("svc")
    client.send(b"\x00\x00\x00\x08\x04\xd2\x16\x30")  # GSSENCRequest
    assert client.recv_exact(1) == b"N"
    client.send(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # SSLRequest
    assert client.recv_exact(1) == b"N"
    expect.served(tunnel, client, b"startup")
    client.half_close()
    assert client.expect_eof() == b""
    assert tunnel.closed()["kind"] == "ok"


@pytest.mark.needs("slapd", "ldapsearch")
def test_directory_searched_in_plaintext_over_starttls(tmp_path, relay, pki, keep):
    slapd = keep(Slapd(tmp_path, pki.leaf(), people=200, debug="stats"))
    tunnel = relay(slapd.plain_address, starttls="ldap")
    direct = search(slapd.plain_address)
    assert direct.count(b"\ndn: uid=user") == 200
    assert search(tunnel.address("svc")) == direct
    closed = tunnel.closed()
    assert closed["kind"] == "ok" and closed["tls"]
    assert slapd.background.text().count("TLS established") == 1
    assert f'BASE="{SUFFIX}"'.lower() in slapd.background.text().lower()


@pytest.mark.needs("slapd", "ldapsearch")
def test_many_searches_over_one_connection(tmp_path, relay, pki, keep):
    slapd = keep(Slapd(tmp_path, pki.leaf(), people=200, debug="stats"))
    tunnel = relay(slapd.plain_address, starttls="ldap")
    wanted = tmp_path / "wanted"
    wanted.write_text("".join(f"user{i % 200:05}\n" for i in range(1000)))
    found = search(tunnel.address("svc"), "-f", wanted, "(uid=%s)", "mail")
    assert found.count(b"\nmail: user") == 1000
    assert tunnel.closed()["kind"] == "ok"
    assert len(tunnel.log.find("closed")) == 1
    assert slapd.background.text().count("TLS established") == 1


@pytest.mark.needs("slapd", "ldapsearch")
def test_directory_checked_over_starttls(tmp_path, relay, pki, keep, serve):
    slapd = keep(Slapd(tmp_path, pki.leaf(), people=1, debug="stats"))
    broken = serve(lambda peer: peer.read_to_end())
    tunnel = relay([broken.address, slapd.plain_address], starttls="ldap", balance="first",
                   health={"check": "ldap", "interval": "200ms", "timeout": "1s", "fall": 1})
    tunnel.wait_for_event("ejected", target=broken.address)
    search(tunnel.address("svc"))
    assert tunnel.closed()["tries"] == 1
