# SPDX-License-Identifier: MIT
"""The failure table, first part: the target cannot be reached. Word, sentence, and what the client
sees: a reset."""

import pytest
from harness import expect, netns
from harness.netns import Namespace
from harness.ports import free_port
from harness.server import FullBacklog, Server, TlsServer, echo

needs_namespaces = pytest.mark.skipif(not netns.is_possible(), reason="no network namespaces")


def test_nothing_listens(relay):
    target = f"127.0.0.1:{free_port()}"
    tunnel = relay(target)
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), target, "connect_refused",
                                "refused")
    assert closed["tls_ms"] == -1
    assert closed["preamble_ms"] == -1


def test_one_failure_is_one_sentence(relay):
    """The ejection says what happens, dial_failed why, closed how it ended."""
    target = f"127.0.0.1:{free_port()}"
    tunnel = relay(target)
    assert tunnel.connect("svc").expect_reset() == b""
    assert tunnel.closed()["msg"] == f"not connected: {target} failed"
    assert tunnel.wait_for_event("ejected")["msg"] == (
        f"{target} failed, but is the only target, so connections go on trying it")
    assert "refused" in tunnel.wait_for_event("dial_failed")["msg"]
    assert sum("refused" in event["msg"] for event in tunnel.log.events) == 1
    assert tunnel.terminate() == 0
    assert tunnel.wait_for_event("stopped")["msg"] == (
        "stopped: no connection was left; 1 of 1 connection had failed (see its closed line)")


def test_unix_target_does_not_exist(relay, tmp_path):
    target = str(tmp_path / "absent.sock")
    tunnel = relay(target, tls=False)
    client = tunnel.connect("svc")
    assert client.expect_reset() == b""
    closed = tunnel.closed(service="svc")
    assert closed["kind"] in ("connect_refused", "unreachable")
    assert target in tunnel.wait_for_event("dial_failed")["msg"]


def test_connecting_times_out(relay, keep):
    target = keep(FullBacklog())
    tunnel = relay(target, timeouts={"connect": "400ms"})
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), target.address, "connect_timeout",
                                r"timed out|no answer|did not answer|within")
    assert closed["total_ms"] >= 400


def test_dial_timeout_bounds_everything(relay, keep):
    target = keep(FullBacklog())
    tunnel = relay(target, timeouts={"connect": "1m", "dial": "400ms"})
    expect.failed_dial(tunnel, tunnel.connect("svc"), target.address, "connect_timeout")


@needs_namespaces
@pytest.mark.parametrize("route", ["", "ip route add unreachable 198.51.100.0/24;",
                                   "ip route add prohibit 198.51.100.0/24;"],
                         ids=["no-route", "host-unreachable", "prohibited"])
def test_no_route_to_the_target(relay, keep, tmp_path, route):
    network = keep(Namespace(route))
    tunnel = relay("198.51.100.1:636", accept=str(tmp_path / "in.sock"), prefix=network.prefix)
    client = tunnel.connect("svc")
    assert client.expect_eof() == b"", "a unix socket knows no reset"
    expect.failed_dial_logged(tunnel, "198.51.100.1:636", "unreachable",
                              "unreachable|no route|prohibited|denied|permi")


@needs_namespaces
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_server_machine_vanishes(keep, relay, pki, tmp_path, tls):
    """Nobody answers any more, not even with a reset: keepalive notices."""
    network = keep(Namespace("ip addr add 10.9.9.9/32 dev lo;"))
    server = keep(network.call(lambda: TlsServer(echo, pki.context(), host="10.9.9.9") if tls
                               else Server(echo, host="10.9.9.9")))
    tunnel = relay(server, accept=str(tmp_path / "in.sock"), prefix=network.prefix,
                   keepalive={"idle": "1s", "interval": "1s", "count": 2},
                   tls={"name": "server.test"} if tls else False)
    client = tunnel.connect("svc")
    expect.served(tunnel, client)
    network.run("ip", "addr", "del", "10.9.9.9/32", "dev", "lo")
    assert client.expect_eof() == b""
    closed = tunnel.closed()
    assert (closed["kind"], closed["side"]) == ("connection_lost", "server")


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "SERVFAIL", "REFUSED"])
def test_name_does_not_resolve(relay, dns, rcode):
    dns.fail("nowhere.test", rcode)
    tunnel = relay("nowhere.test:636", options={"dns_servers": [dns.address]})
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), "nowhere.test:636",
                                "resolve_failed", "nowhere.test")
    assert closed["connect_ms"] == -1
    said = tunnel.wait_for_event("dial_failed")["msg"]
    assert said.count("cannot resolve") == 1, "one sentence, said once"
    assert "cannot resolve" not in closed["msg"]


def test_name_without_addresses(relay, dns):
    dns.set("nowhere.test", "SRV", [(0, 0, 1, "elsewhere.test")])
    tunnel = relay("nowhere.test:636", options={"dns_servers": [dns.address]})
    expect.failed_dial(tunnel, tunnel.connect("svc"), "nowhere.test:636", "resolve_failed",
                       "nowhere.test")


def test_dns_is_silent(relay, dns):
    dns.silence("nowhere.test")
    tunnel = relay("nowhere.test:636", timeouts={"resolve": "400ms"},
                   options={"dns_servers": [dns.address]})
    expect.failed_dial(tunnel, tunnel.connect("svc"), "nowhere.test:636", "resolve_failed",
                       "nowhere.test")


def test_client_outside_allow(relay, serve_tls):
    server = serve_tls(echo)
    tunnel = relay(server, allow=["127.0.0.2/32", "10.0.0.0/8", "::1"])
    with tunnel.connect("svc") as stranger:
        end = stranger.read_to_end()
        assert end.data == b""
        closed = tunnel.closed(service="svc", client=stranger.local_address)
    assert closed["kind"] == "client_denied"
    assert server.accepted == 0
    with tunnel.connect("svc", source="127.0.0.2") as friend:
        expect.served_to_the_end(tunnel, friend)


def test_client_gives_up_while_dialling(relay, keep, serve_tls):
    """The dial ends at the latest when its phase changes."""
    target = keep(FullBacklog())
    tunnel = relay(target, timeouts={"connect": "1s"})
    tunnel.connect("svc").reset()
    closed = tunnel.closed(service="svc")
    assert closed["kind"] in ("reset_by_client", "connect_timeout")
