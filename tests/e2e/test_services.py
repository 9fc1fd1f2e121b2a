# SPDX-License-Identifier: MIT
"""Real servers of other protocols, with clients that know nothing of TLS."""

import base64
import ftplib
import re

import pytest
from harness import expect
from harness.news import NewsReader
from harness.programs import missing
from harness.services import Nnrpd, Prosody, Redis, Vsftpd, news_programs, redis_cli

pytestmark = [pytest.mark.knows("starttls"), pytest.mark.needs("setpriv")]


@pytest.fixture(scope="module")
def serve_here(tmp_path_factory, pki):
    """serve_here(kind, program, ...) starts one server for the whole file."""
    started = []

    def serve_here(kind, *programs, **kwargs):
        if absent := missing(*programs):
            pytest.skip(f"{absent} is not installed")
        started.append(kind(tmp_path_factory.mktemp(kind.__name__), pki.leaf(), **kwargs))
        return started[-1]

    yield serve_here
    for server in started:
        server.stop()


# Redis

@pytest.fixture(scope="module")
def redis(serve_here):
    return serve_here(Redis, "redis-server", "redis-cli")


def test_redis_cli_stores_and_fetches(relay, redis):
    tunnel = relay(redis)
    value = "x" * 100_000
    assert redis_cli(tunnel.address("svc"), "set", "key", value) == "OK\n"
    assert redis_cli(tunnel.address("svc"), "get", "key") == value + "\n"
    for count in (1, 2):
        closed = tunnel.closed(count)
        assert closed["kind"] == "ok" and closed["tls"], tunnel.log.text()


@pytest.mark.parametrize("password", [None, "se-cret"])
@pytest.mark.needs("redis-server", "redis-cli")
def test_checks_find_redis_alive_and_leave_no_error(relay, own, password):
    server = own(Redis, password=password)
    tunnel = expect.checked_in_peace(relay, server, "redis", r"Accepted 127\.0\.0\.1",
                                     r"error|warning: 32|denied")
    assert redis_cli(tunnel.address("svc"), "ping").strip() in (
        "PONG", "NOAUTH Authentication required.")


def test_redis_that_has_lost_its_master_is_down(relay, serve_here):
    server = serve_here(Redis, "redis-server", options=("--replicaof", "127.0.0.1", "9",
                                                        "--replica-serve-stale-data", "no"))
    tunnel = relay(server, health={"check": "redis", "interval": "100ms", "timeout": "20s",
                                   "fall": 1})
    assert "MASTERDOWN" in tunnel.wait_for_event("ejected", target=server.address)["msg"]


# FTP

@pytest.fixture(scope="module")
def ftp(serve_here):
    return serve_here(Vsftpd, "vsftpd")


def test_ftp_login_travels_over_tls(relay, ftp):
    # vsftpd hangs up after its goodbye without a word of TLS.
    before = ftp.text().count("AUTH TLS")
    tunnel = relay(ftp, starttls="ftp", on_truncation="eof")
    host, port = tunnel.address("svc").split(":")
    with ftplib.FTP() as client:
        assert client.connect(host, int(port), timeout=60) == "220 vsftpd at your service"
        # The server lets nobody in without TLS: "530 Anonymous sessions must use encryption."
        assert client.login().startswith("230 ")
        assert client.pwd().endswith("/files")
        assert client.nlst() == []  # over a data connection, which is not the tunnel's business
        client.quit()
    assert tunnel.closed()["tls"], tunnel.log.text()
    assert ftp.text().count("AUTH TLS") == before + 1, ftp.text()


def test_ftp_client_that_asks_for_tls_inside_the_tunnel_gets_the_servers_answer(relay, ftp):
    tunnel = relay(ftp, starttls="ftp")
    host, port = tunnel.address("svc").split(":")
    with ftplib.FTP_TLS() as client:
        client.connect(host, int(port), timeout=60)
        with pytest.raises(ftplib.error_perm):
            client.auth()


# XMPP

@pytest.fixture(scope="module")
def prosody(serve_here):
    return serve_here(Prosody, "prosody")


OPENING = (b"<?xml version='1.0'?><stream:stream to='server.test' xmlns='jabber:client' "
           b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")


def receive_until(client, end):
    received = b""
    while end not in received:
        received += client.recv_exact(1)
    return received


def test_xmpp_client_logs_in_without_ever_hearing_of_starttls(relay, prosody):
    tunnel = relay(prosody, starttls="xmpp", tls={"name": "server.test"})
    client = tunnel.connect("svc")
    client.send(OPENING)
    features = receive_until(client, b"</stream:features>")
    assert features.count(b"<stream:stream") == 1 and b"starttls" not in features, features
    assert b"<mechanism>PLAIN</mechanism>" in features, features  # only in TLS
    login = base64.b64encode(b"\0joe\0" + Prosody.PASSWORD.encode())
    client.send(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + login +
                b"</auth>")
    receive_until(client, b"<success")
    receive_until(client, b">")
    client.send(OPENING)
    receive_until(client, b"</stream:features>")
    client.send(b"<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert re.search(rb"<jid>joe@server\.test/", receive_until(client, b"</iq>"))
    client.send(b"</stream:stream>")
    assert client.expect_eof() == b"</stream:stream>"
    client.half_close()
    assert tunnel.closed()["kind"] == "ok", tunnel.log.text()


# NNTP

def test_news_reader_is_greeted_and_lists_groups(relay, serve_here):
    if not news_programs():
        pytest.skip("nnrpd is not installed")
    tunnel = relay(serve_here(Nnrpd), starttls="nntp")
    host, port = tunnel.address("svc").split(":")
    with NewsReader(host, int(port)) as client:
        assert re.match("20[01] server.test InterNetNews NNRP server", client.welcome)
        # The list that it gives inside TLS.
        assert "STARTTLS" not in client.ask_for_lines("CAPABILITIES", 101)
        assert [group.split()[0] for group in client.ask_for_lines("LIST", 215)] == ["test.hello"]
        assert client.ask("STARTTLS").startswith("502 ")
        client.quit()
    closed = tunnel.closed()
    assert closed["kind"] == "ok" and closed["tls"], tunnel.log.text()
