# SPDX-License-Identifier: MIT
"""Real HTTP and SOCKS5 proxies on the way, and real servers that read the PROXY header."""

import re

import pytest
from harness import expect
from harness.gateways import HaproxyTeller, Microsocks, NginxTeller, Tinyproxy
from harness.peer import Peer
from harness.ports import free_port
from harness.server import echo

pytestmark = pytest.mark.knows("proxy", "send_proxy")


# Proxies. They run on this machine, so they know "localhost", which our resolver is not asked for.

def through(kind, login, proxy):
    return f"{kind}://{login + '@' if login else ''}{proxy.address}"


@pytest.mark.needs("tinyproxy")
def test_tinyproxy_leads_to_the_target_by_name(tmp_path, relay, serve_tls, keep, dns):
    server = serve_tls(echo, host="localhost")
    proxy = keep(Tinyproxy(tmp_path, server.port))
    tunnel = relay(f"localhost:{server.port}", proxy=through("http", Tinyproxy.LOGIN, proxy),
                   options={"dns_servers": [dns.address]}, tls={"name": "server.test"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"), payload=b"x" * 300_000)
    assert f"CONNECT localhost:{server.port}" in proxy.text()
    assert not dns.queries


@pytest.mark.needs("tinyproxy")
@pytest.mark.parametrize("login, words", [
    (None, r"40[17] .*wants a user and password"),
    ("joe:wrong", r"40[17] .*does not accept the user and password")])
def test_tinyproxy_turns_strangers_away(tmp_path, relay, serve_tls, keep, login, words):
    server = serve_tls(echo)
    proxy = keep(Tinyproxy(tmp_path, server.port))
    tunnel = relay(server, proxy=through("http", login, proxy))
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "proxy_refused", words)
    assert not tunnel.log.find("ejected")


@pytest.mark.needs("tinyproxy")
def test_tinyproxys_refusal_of_a_port_is_shown(tmp_path, relay, serve_tls, keep):
    server = serve_tls(echo)
    proxy = keep(Tinyproxy(tmp_path, 443))
    tunnel = relay(server, proxy=through("http", Tinyproxy.LOGIN, proxy))
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "proxy_refused",
                       re.escape(f"refused to connect to {server.address}: 403 Access violation"))
    assert not tunnel.log.find("ejected")  # it is the proxy's rule


@pytest.mark.needs("tinyproxy")
def test_tinyproxy_that_cannot_reach_the_target_ejects_it(tmp_path, relay, keep):
    port = free_port()
    proxy = keep(Tinyproxy(tmp_path, port))
    tunnel = relay(f"127.0.0.1:{port}", proxy=through("http", Tinyproxy.LOGIN, proxy))
    expect.failed_dial(tunnel, tunnel.connect("svc"), f"127.0.0.1:{port}", "proxy_refused",
                       "50[0-9] Unable to connect")
    tunnel.wait_for_event("ejected", target=f"127.0.0.1:{port}")


@pytest.mark.needs("microsocks")
def test_microsocks_leads_to_the_target_by_name(tmp_path, relay, serve_tls, keep, dns):
    # It tries one address only, and which one that is depends on /etc/hosts.
    server = serve_tls(echo, host="localhost")
    proxy = keep(Microsocks(tmp_path))
    tunnel = relay(f"localhost:{server.port}", proxy=through("socks5", Microsocks.LOGIN, proxy),
                   options={"dns_servers": [dns.address]}, tls={"name": "server.test"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"), payload=b"x" * 300_000)
    assert f"connected to localhost:{server.port}" in proxy.text(), proxy.text()
    assert not dns.queries


@pytest.mark.needs("microsocks")
@pytest.mark.parametrize("login, words", [
    (None, "neither|wants a login|no login"),
    ("joe:wrong", "does not accept the user and password")])
def test_microsocks_turns_strangers_away(tmp_path, relay, serve_tls, keep, login, words):
    server = serve_tls(echo)
    proxy = keep(Microsocks(tmp_path))
    tunnel = relay(server, proxy=through("socks5", login, proxy))
    expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "proxy_refused", words)
    assert not tunnel.log.find("ejected")


@pytest.mark.needs("microsocks")
def test_microsocks_that_cannot_reach_the_target_ejects_it(tmp_path, relay, keep):
    target = f"127.0.0.1:{free_port()}"
    proxy = keep(Microsocks(tmp_path))
    tunnel = relay(target, proxy=through("socks5", Microsocks.LOGIN, proxy))
    expect.failed_dial(tunnel, tunnel.connect("svc"), target, "proxy_refused",
                       r"connection refused \(5\)")
    tunnel.wait_for_event("ejected", target=target)


# The PROXY protocol. Both servers speak TLS behind the header and tell what address it gave.

both_tellers = pytest.mark.parametrize("kind", [
    pytest.param(HaproxyTeller, marks=pytest.mark.needs("haproxy")),
    pytest.param(NginxTeller, marks=pytest.mark.needs("nginx"))])
both_versions = pytest.mark.parametrize("version", ["v1", "v2"])


@pytest.fixture(scope="module")
def teller(tmp_path_factory, pki):
    started = {}

    def teller(kind):
        if kind not in started:
            started[kind] = kind(tmp_path_factory.mktemp(kind.__name__), pki.leaf())
        return started[kind]

    yield teller
    for server in started.values():
        server.stop()


def told(client):
    """The body of the answer to a GET."""
    client.send(b"GET / HTTP/1.1\r\nHost: server.test\r\nConnection: close\r\n\r\n")
    head, _, body = client.expect_eof().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return body.decode().strip()


@both_tellers
@both_versions
@pytest.mark.parametrize("accept", ["127.0.0.1:0", "[::1]:0"])
def test_server_sees_the_address_of_a_tcp_client(relay, teller, kind, version, accept):
    tunnel = relay(teller(kind), send_proxy=version, accept=accept)
    client = tunnel.connect("svc")
    assert told(client) == client.local_address.replace("[", "").replace("]", "")


@both_tellers
@both_versions
def test_server_serves_a_unix_client_as_if_it_were_the_tunnel(relay, teller, tmp_path, kind,
                                                             version):
    path = str(tmp_path / "svc.sock")
    relay(teller(kind), send_proxy=version, accept=path)
    assert told(Peer.connect(path)).rpartition(":")[0] in ("", "127.0.0.1")


@both_tellers
@both_versions
def test_server_is_not_troubled_by_checks_that_announce_nobody(relay, own, kind, version):
    server = own(kind)
    expect.checked_in_peace(relay, server, "tls", server.connections, server.TROUBLE,
                            send_proxy=version)
