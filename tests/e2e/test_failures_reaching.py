# SPDX-License-Identifier: MIT
"""The failure table, first part: the target cannot be reached. Word, sentence, and what the client
sees: a reset."""

import os

import pytest
from harness import expect
from harness.ports import free_port
from harness.server import FullBacklog, echo


def test_nothing_listens(relay):
    target = f"127.0.0.1:{free_port()}"
    tunnel = relay(target)
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), target, "connect_refused",
                                "refused")
    assert closed["tls_ms"] == -1
    assert closed["preamble_ms"] == -1


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


@pytest.mark.needs("ip", "unshare")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")
@pytest.mark.parametrize("route", ["", "ip route add unreachable 198.51.100.0/24;",
                                   "ip route add prohibit 198.51.100.0/24;"],
                         ids=["no-route", "host-unreachable", "prohibited"])
def test_no_route_to_the_target(relay, tmp_path, route):
    """In a network namespace of its own, so that no packet leaves the machine."""
    socket = str(tmp_path / "in.sock")
    tunnel = relay("198.51.100.1:636", accept=socket,
                   prefix=["unshare", "--net", "sh", "-c", f'ip link set lo up; {route} exec "$@"',
                           "sh"])
    client = tunnel.connect("svc")
    assert client.expect_eof() == b"", "a unix socket knows no reset"
    expect.failed_dial_logged(tunnel, "198.51.100.1:636", "unreachable",
                              "unreachable|no route|prohibited|denied|permi")


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "SERVFAIL", "REFUSED"])
def test_name_does_not_resolve(relay, dns, rcode):
    dns.fail("nowhere.test", rcode)
    tunnel = relay("nowhere.test:636", options={"dns_servers": [dns.address]})
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), "nowhere.test:636",
                                "resolve_failed", "nowhere.test")
    assert closed["connect_ms"] == -1


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
