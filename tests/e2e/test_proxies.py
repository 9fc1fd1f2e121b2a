# SPDX-License-Identifier: MIT
"""Targets behind HTTP and SOCKS5 proxies, and the PROXY protocol in front of TLS."""

import re

import pytest
from harness import expect
from harness.peer import TlsPeer
from harness.ports import free_port, ipv6_works
from harness.proxies import HttpProxy, Socks5Proxy, expected_header, read_proxy_header
from harness.server import echo
from harness.starttls import DIALECTS, StarttlsServer

pytestmark = pytest.mark.knows("proxy", "send_proxy")

KINDS = {"http": HttpProxy, "socks5": Socks5Proxy}
both = pytest.mark.parametrize("form", KINDS)
NAME = "server.test:636"  # leads nowhere but through our proxies


@both
@pytest.mark.parametrize("login", [None, "joe:se-cret"])
def test_name_is_given_to_the_proxy_unresolved(relay, serve_tls, keep, dns, form, login):
    server = serve_tls(echo)
    proxy = keep(KINDS[form]({NAME: server.address}, login=login))
    tunnel = relay(NAME, proxy=f"{form}://{login + '@' if login else ''}{proxy.address}",
                   options={"dns_servers": [dns.address]})
    closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"), payload=b"x" * 300_000)
    assert closed["target"] == NAME and closed["tls"]
    assert proxy.asked == [NAME]
    assert not dns.queries


@both
def test_address_is_given_to_the_proxy(relay, serve_tls, keep, form):
    server = serve_tls(echo)
    proxy = keep(KINDS[form]({server.address: server.address}))
    tunnel = relay(server, proxy=f"{form}://{proxy.address}")
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert proxy.asked == [server.address]


@both
@pytest.mark.parametrize("login", ["", "joe:wrong@"])
def test_wrong_login_is_refused_and_no_fault_of_the_target(relay, keep, form, login):
    proxy = keep(KINDS[form]({}, login="joe:se-cret"))
    tunnel = relay(NAME, proxy=f"{form}://{login}{proxy.address}")
    words = {("http", ""): "407 Who Are You.*wants a user and password",
             ("http", "joe:wrong@"): "407 Who Are You.*does not accept the user and password",
             ("socks5", ""): "neither|wants a login|no login",
             ("socks5", "joe:wrong@"): "does not accept the user and password"}[form, login]
    expect.failed_dial(tunnel, tunnel.connect("svc"), NAME, "proxy_refused", words)
    assert not tunnel.log.find("ejected")
    assert "wrong" not in tunnel.log.text()  # a password is nobody's business


def test_refusal_of_an_http_proxy_carries_its_status_and_reason(relay, keep):
    proxy = keep(HttpProxy({}))
    tunnel = relay(NAME, proxy=f"http://{proxy.address}")
    expect.failed_dial(tunnel, tunnel.connect("svc"), NAME, "proxy_refused",
                       re.escape(f"proxy {proxy.address} refused to connect to {NAME}"),
                       "403 Not That One")


@pytest.mark.parametrize("reply, words, blames_target", [
    (1, "general SOCKS server failure", True), (2, "not allowed by ruleset", False),
    (3, "network unreachable", True), (4, "host unreachable", True),
    (5, "connection refused", True), (7, "command not supported", False),
    (8, "address type not supported", False), (99, "99", False)])
def test_refusal_of_a_socks_proxy_carries_its_code(relay, keep, reply, words, blames_target):
    proxy = keep(Socks5Proxy({}, reply=reply))
    tunnel = relay(NAME, proxy=f"socks5://{proxy.address}")
    expect.failed_dial(tunnel, tunnel.connect("svc"), NAME, "proxy_refused", words, rf"\({reply}\)")
    assert bool(tunnel.log.find("ejected")) == blames_target


def test_lines_of_proxy_headers_are_sent(relay, serve_tls, keep):
    server = serve_tls(echo)
    proxy = keep(HttpProxy({NAME: server.address}))
    tunnel = relay(NAME, proxy=f"http://{proxy.address}", proxy_headers=["X-Tenant: seven"])
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert b"\r\nX-Tenant: seven\r\n" in proxy.heads[0]


@both
def test_unreachable_proxy_never_ejects_a_target(relay, form):
    proxy = f"127.0.0.1:{free_port()}"
    tunnel = relay([NAME, "server.test:637"], proxy=f"{form}://{proxy}",
                   health={"eject_time": "1h", "eject_max": "1h"})
    for count in (1, 2):
        assert tunnel.connect("svc").expect_reset() == b""
        closed = tunnel.closed(count)
        assert (closed["kind"], closed["tries"]) == ("connect_refused", 2), closed
    assert proxy in tunnel.wait_for_event("dial_failed")["msg"]
    assert not tunnel.log.find("ejected")


@both
def test_refused_target_fails_over_through_the_same_proxy(relay, serve_tls, serve, keep, form):
    server, plain = serve_tls(echo), serve(lambda peer: peer.send(b"220 hello\r\n"))
    proxy = keep(KINDS[form]({"server.test:1": plain.address, NAME: server.address}))
    tunnel = relay(["server.test:1", NAME], proxy=f"{form}://{proxy.address}", balance="first")
    assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["tries"] == 2
    assert proxy.asked == ["server.test:1", NAME]


@both
def test_checks_take_the_way_through_the_proxy(relay, serve_tls, keep, form):
    server = serve_tls(echo)
    routes = {"server.test:1": f"127.0.0.1:{free_port()}", NAME: server.address}
    proxy = keep(KINDS[form](routes))
    proxy.script = _forgiving(proxy.script)
    tunnel = relay(["server.test:1", NAME], proxy=f"{form}://{proxy.address}", balance="first",
                   health={"check": "tls", "interval": "200ms", "timeout": "2s", "fall": 1})
    tunnel.wait_for_event("ejected", target="server.test:1")
    assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["tries"] == 1


def _forgiving(script):
    """A proxy whose target is down hangs up."""

    def run(peer):
        try:
            script(peer)
        except ConnectionRefusedError:
            peer.close()

    return run


# The PROXY protocol.

class Announced:
    """A script: reads the header, then speaks TLS and echoes."""

    def __init__(self, context):
        self.context, self.headers = context, []

    def __call__(self, peer):
        self.headers.append(read_proxy_header(peer))
        secured = TlsPeer(peer.sock, self.context)
        try:
            secured.handshake()
        except ConnectionAbortedError:
            return  # a check that the tunnel's own end cut short
        echo(secured)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("accept", ["127.0.0.1:0", "[::1]:0"])
def test_header_comes_before_the_client_hello(relay, serve, pki, version, accept):
    if "::1" in accept and not ipv6_works():
        pytest.skip("no IPv6 here")
    script = Announced(pki.context())
    tunnel = relay(serve(script), send_proxy=version, accept=accept)
    client = tunnel.connect("svc")
    wanted = expected_header(version, client.local_address, tunnel.address("svc"))
    expect.served_to_the_end(tunnel, client)
    assert script.headers == [wanted]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_header_comes_behind_the_proxys_consent(relay, serve, keep, pki, version):
    script = Announced(pki.context())
    proxy = keep(HttpProxy({NAME: serve(script).address}))
    tunnel = relay(NAME, proxy=f"http://{proxy.address}", send_proxy=version)
    client = tunnel.connect("svc")
    expect.served_to_the_end(tunnel, client)
    assert script.headers == [
        expected_header(version, client.local_address, tunnel.address("svc"))]


def test_checks_announce_nobody(relay, serve, pki):
    script = Announced(pki.context())
    server = serve(script)
    relay(server, send_proxy="v2", health={"check": "tls", "interval": "200ms"})
    server.wait_for_connections(2)
    assert script.headers[0] == b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"


@both
def test_starttls_through_a_proxy(relay, keep, pki, form):
    server = keep(StarttlsServer(DIALECTS["smtp"], pki.context()))
    proxy = keep(KINDS[form]({NAME: server.address}))
    tunnel = relay(NAME, proxy=f"{form}://{proxy.address}", starttls="smtp")
    client = tunnel.connect("svc")
    assert client.recv_exact(len(server.shown)) == server.shown
    expect.served(tunnel, client)
