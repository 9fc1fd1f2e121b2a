# SPDX-License-Identifier: MIT
"""Names: answers are kept fresh in the background, and old ones serve while DNS is broken."""

import os
import pathlib
import shutil

import pytest
from harness import expect, netns
from harness.dns import DnsServer
from harness.server import FullBacklog, echo
from harness.wait import eventually


@pytest.fixture
def named(relay, dns):
    """named(server, **keys): a tunnel to server.test at the server's port, asking our DNS."""

    def named(server, name="server.test", options=None, **keys):
        return relay(f"{name}:{server.port}",
                     options={"dns_servers": [dns.address], **(options or {})}, **keys)

    return named


def names_itself(peer):
    peer.send(peer.sock.getsockname()[0].encode())
    peer.half_close()
    peer.read_to_end()


def whom(tunnel):
    """Which address serves the next connection."""
    with tunnel.connect("svc") as client:
        return client.expect_eof()


def test_localhost_needs_no_dns(relay, dns, serve_tls):
    server = serve_tls(echo)
    tunnel = relay(f"localhost:{server.port}", options={"dns_servers": [dns.address]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert dns.count("localhost") == 0


def test_name_is_resolved_before_the_first_client_comes(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"])
    tunnel = named(serve_tls(echo))
    dns.wait_for_query("server.test", "A")
    dns.wait_for_query("server.test", "AAAA")
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_answer_is_reused_within_its_ttl(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"], ttl=3600)
    tunnel = named(serve_tls(echo))
    for _ in range(5):
        expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert dns.count("server.test", "A") == 1


def test_answer_is_renewed_when_its_ttl_ends(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"], ttl=1)
    named(serve_tls(echo))
    dns.wait_for_query("server.test", "A", count=3)
    times = [q.time for q in dns.queries if q.type == "A"]
    assert times[1] - times[0] > 0.8, "asked again before the answer had aged"


def test_new_address_is_used_when_the_old_answer_ends(named, dns, serve_tls):
    old = serve_tls(names_itself, host="127.0.0.1")
    serve_tls(names_itself, host="127.0.0.2", port=old.port)
    dns.set("server.test", "A", ["127.0.0.1"], ttl=1)
    tunnel = named(old)
    assert whom(tunnel) == b"127.0.0.1"
    dns.set("server.test", "A", ["127.0.0.2"], ttl=1)
    eventually(lambda: whom(tunnel) == b"127.0.0.2", "the new address serves")
    assert whom(tunnel) == b"127.0.0.2"


@pytest.mark.parametrize("trouble", ["NXDOMAIN", "SERVFAIL", "silence"])
def test_last_good_answer_serves_while_dns_is_broken(named, dns, serve_tls, trouble):
    dns.set("server.test", "A", ["127.0.0.1"], ttl=1)
    tunnel = named(serve_tls(echo), timeouts={"resolve": "500ms"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    dns.silence("server.test") if trouble == "silence" else dns.fail("server.test", trouble)
    asked = dns.count("server.test", "A")
    dns.wait_for_query("server.test", "A", count=asked + 1)
    for _ in range(3):
        expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_stale_answers_have_an_end(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"], ttl=1)
    server = serve_tls(echo)
    tunnel = named(server, options={"dns_max_stale": "1s"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    dns.fail("server.test", "SERVFAIL")

    def refused():
        """One read of what the client sees: a reset is reported once, whoever asks first."""
        with tunnel.connect("svc") as client:
            try:
                client.send(b"x")
                return client.recv() != b"x"
            except (ConnectionResetError, BrokenPipeError):
                return True

    eventually(refused, "the stale answer is given up")
    assert tunnel.log.wait_for("closed", kind="resolve_failed")


def test_nothing_resolves_at_start_and_it_recovers_by_itself(named, dns, serve_tls):
    dns.fail("server.test", "SERVFAIL")
    server = serve_tls(echo)
    tunnel = named(server)
    expect.failed_dial(tunnel, tunnel.connect("svc"), f"server.test:{server.port}",
                       "resolve_failed")
    dns.set("server.test", "A", ["127.0.0.1"])

    def works():
        with tunnel.connect("svc") as client:
            try:
                client.send(b"x")
                return client.recv() == b"x"
            except (ConnectionResetError, BrokenPipeError):
                return False

    eventually(works, "the name resolves again")


def test_first_client_waits_for_a_slow_answer(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"])
    dns.delay("server.test", 0.7)
    tunnel = named(serve_tls(echo))
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_missing_family_delays_nobody(named, dns, serve_tls):
    """AAAA is never answered; the A record serves at once (RFC 8305's resolution delay)."""
    dns.set("server.test", "A", ["127.0.0.1"])
    dns.silence("server.test", "AAAA")
    tunnel = named(serve_tls(echo), timeouts={"resolve": "30s"})
    closed = expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert closed["resolve_ms"] < 20_000


def test_truncated_answers_are_asked_for_again_over_tcp(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"])
    dns.truncate("server.test")
    tunnel = named(serve_tls(echo))
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert any(q.transport == "tcp" for q in dns.queries)


def test_aliases_are_followed(named, dns, serve_tls):
    dns.set("server.test", "CNAME", ["real.test"])
    dns.set("real.test", "A", ["127.0.0.1"])
    tunnel = named(serve_tls(echo))
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))


def test_second_dns_server_is_asked_when_the_first_is_silent(relay, dns, keep, serve_tls):
    from harness.dns import DnsServer

    dead = keep(DnsServer())
    dead.silence("server.test")
    dns.set("server.test", "A", ["127.0.0.1"])
    server = serve_tls(echo)
    tunnel = relay(f"server.test:{server.port}", timeouts={"resolve": "25s"},
                   options={"dns_servers": [dead.address, dns.address]})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert dead.count("server.test") >= 1


def test_names_are_asked_for_once_for_many_clients(named, dns, serve_tls):
    dns.set("server.test", "A", ["127.0.0.1"])
    dns.delay("server.test", 0.5)
    tunnel = named(serve_tls(echo), options={"workers": 1})
    clients = [tunnel.connect("svc") for _ in range(20)]
    for client in clients:
        expect.served(tunnel, client)
    assert dns.count("server.test", "A") <= 2


@pytest.mark.skipif(not netns.can_mount(), reason="no mount namespaces")
def test_resolv_conf_that_changes_is_read_again(relay, keep, serve_tls, tmp_path):
    """As a DHCP client does it: a new file takes the place of the old one."""
    etc = tmp_path / "etc"
    etc.mkdir()
    for name in ("nsswitch.conf", "services", "passwd", "group"):
        shutil.copy(pathlib.Path("/etc") / name, etc)
    (etc / "hosts").write_text("127.0.0.1 localhost\n")

    def use(server):
        host = server.address.rsplit(":", 1)[0]
        (etc / "new").write_text(f"nameserver {host}\n")
        os.rename(etc / "new", etc / "resolv.conf")

    # resolv.conf knows no ports, so theirs is 53, at addresses that nobody else is likely to use.
    one, two = [keep(DnsServer(f"127.{os.getpid() % 250 + 2}.53.{i}", 53)) for i in (1, 2)]
    one.set("server.test", "A", ["127.0.0.1"], ttl=1)
    two.set("server.test", "A", ["127.0.0.2"], ttl=1)
    use(one)
    server = serve_tls(names_itself)
    serve_tls(names_itself, host="127.0.0.2", port=server.port)
    tunnel = relay(f"server.test:{server.port}",
                   prefix=("unshare", "--mount", "sh", "-c",
                           f'mount --bind {etc} /etc && exec "$@"', "sh"))
    assert whom(tunnel) == b"127.0.0.1"

    use(two)
    two.wait_for_query("server.test", "A")
    eventually(lambda: whom(tunnel) == b"127.0.0.2", "the answer of the new server is used")
    asked = one.count("server.test")
    two.wait_for_query("server.test", "A", count=two.count("server.test", "A") + 2)
    assert one.count("server.test") == asked, "the old server is asked no longer"


# A name with several addresses, some of which are dead.

HOLES = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
RACE_MS = 250 * len(HOLES)  # what they cost a dial that does not know them


@pytest.fixture
def mostly_dead(dns, keep, serve_tls):
    """server.test, whose last address alone is alive."""
    server = serve_tls(names_itself)
    for host in HOLES:
        keep(FullBacklog(host, server.port))
    dns.set("server.test", "A", [*HOLES, "127.0.0.1"], ttl=1)
    return server


def test_silent_addresses_cost_one_connection_their_time(named, dns, mostly_dead):
    """The next ones begin with the address that has won, on every worker, and when the answer is
    renewed."""
    tunnel = named(mostly_dead, options={"workers": 3})
    assert whom(tunnel) == b"127.0.0.1"
    assert tunnel.closed(service="svc")["connect_ms"] >= RACE_MS
    for number in range(2, 8):
        assert whom(tunnel) == b"127.0.0.1"
        assert tunnel.closed(number, service="svc")["connect_ms"] < RACE_MS
        dns.wait_for_query("server.test", "A", count=1 + number // 3)


def test_checks_find_the_silent_addresses_before_clients_do(named, mostly_dead):
    tunnel = named(mostly_dead, health={"check": "tls", "interval": "100ms"})
    mostly_dead.wait_for_connections(2)
    assert whom(tunnel) == b"127.0.0.1"
    assert tunnel.closed(service="svc")["connect_ms"] < RACE_MS


def test_when_the_last_winner_fails_the_others_are_tried(named, dns, serve_tls):
    first = serve_tls(names_itself, host="127.0.0.2")
    second = serve_tls(names_itself, host="127.0.0.1", port=first.port)
    dns.set("server.test", "A", ["127.0.0.1", "127.0.0.2"])
    tunnel = named(first)
    assert whom(tunnel) == b"127.0.0.1"
    second.stop()
    assert whom(tunnel) == b"127.0.0.2"
    second = serve_tls(names_itself, host="127.0.0.1", port=first.port)
    assert whom(tunnel) == b"127.0.0.2", "the last winner, though the other one is back"
