# SPDX-License-Identifier: MIT
"""Groups, policies and limits, seen from outside: which target serves whom."""

import collections

import pytest
from harness import expect
from harness.peer import Peer
from harness.ports import free_port
from harness.wait import eventually


def names_itself(name):
    """Says its name, then echoes."""

    def script(peer):
        peer.send(name)
        while data := peer.recv():
            peer.send(data)
        peer.half_close()

    return script


@pytest.fixture
def farm(serve):
    """farm(3) starts plain servers that call themselves A, B, C."""
    return lambda count: [serve(names_itself(bytes([65 + i]))) for i in range(count)]


@pytest.fixture
def balance(relay):
    """balance(connect, **keys): a plain service, one worker unless `options` say otherwise."""

    def balance(connect, options=None, **keys):
        return relay(connect, tls=False, options={"workers": 1, **(options or {})}, **keys)

    return balance


def ask(tunnel, source=None):
    """Who serves a new connection."""
    with tunnel.connect("svc", source=source) as client:
        name = client.recv_exact(1).decode()
        client.half_close()
        client.expect_eof()
        return name


def tally(tunnel, count, **kwargs):
    return dict(collections.Counter(ask(tunnel, **kwargs) for _ in range(count)))


def addresses(servers):
    return [s.address for s in servers]


def test_round_robin_is_the_default_and_exact(balance, farm):
    assert tally(balance(addresses(farm(3))), 30) == {"A": 10, "B": 10, "C": 10}


def test_round_robin_is_process_wide(balance, farm):
    tunnel = balance(addresses(farm(3)), options={"workers": 3})
    assert tally(tunnel, 30) == {"A": 10, "B": 10, "C": 10}


def test_weights(balance, farm):
    a, b, c = addresses(farm(3))
    tunnel = balance([{"address": a, "weight": 3}, b, {"address": c, "weight": 0}])
    assert tally(tunnel, 40) == {"A": 30, "B": 10}


def test_first(balance, farm):
    assert tally(balance(addresses(farm(3)), balance="first"), 5) == {"A": 5}


def test_random_uses_everybody(balance, farm):
    assert set(tally(balance(addresses(farm(2)), balance="random"), 60)) == {"A", "B"}


def test_least_connections(balance, farm):
    tunnel = balance(addresses(farm(3)), balance="least-connections")
    held = [tunnel.connect("svc") for _ in range(9)]
    served_by = [c.recv_exact(1).decode() for c in held]
    assert set(collections.Counter(served_by).values()) == {3}
    # One leaves: its target has the fewest now.
    held[4].half_close()
    held[4].expect_eof()
    tunnel.closed(count=1)
    assert ask(tunnel) == served_by[4]


def test_hash_keeps_a_client_at_its_target(balance, farm):
    tunnel = balance(addresses(farm(3)), balance="hash")
    seen = {}
    for i in range(1, 40):
        source = f"127.0.1.{i}"
        seen[source] = ask(tunnel, source=source)
        assert ask(tunnel, source=source) == seen[source]
    assert set(seen.values()) == {"A", "B", "C"}


def test_hash_moves_only_the_clients_of_the_lost_target(balance, farm):
    servers = farm(3)
    tunnel = balance(addresses(servers), balance="hash")
    sources = [f"127.0.1.{i}" for i in range(1, 31)]
    before = {s: ask(tunnel, source=s) for s in sources}
    servers[1].stop()
    after = {s: ask(tunnel, source=s) for s in sources}
    for source in sources:
        if before[source] != "B":
            assert after[source] == before[source]
        else:
            assert after[source] in "AC"


def test_second_group_serves_only_when_the_first_cannot(balance, farm):
    servers = farm(4)
    a, b, c, d = addresses(servers)
    tunnel = balance([[a, b], [c, d]])
    assert set(tally(tunnel, 8)) == {"A", "B"}
    servers[0].stop()
    assert tally(tunnel, 6) == {"B": 6}
    servers[1].stop()
    assert set(tally(tunnel, 8)) == {"C", "D"}


def test_full_target_is_passed_over(balance, farm):
    a, b = addresses(farm(2))
    tunnel = balance([{"address": a, "max_connections": 1}, b], balance="first")
    with tunnel.connect("svc") as first:
        assert first.recv_exact(1) == b"A"
        assert tally(tunnel, 3) == {"B": 3}


def test_full_group_gives_way_to_the_next(balance, farm):
    a, b = addresses(farm(2))
    tunnel = balance([[{"address": a, "max_connections": 1}], [b]])
    with tunnel.connect("svc") as first:
        assert first.recv_exact(1) == b"A"
        assert ask(tunnel) == "B"
    tunnel.closed(count=2)
    assert ask(tunnel) == "A"


def test_connection_waits_for_a_slot(balance, farm):
    (a,) = addresses(farm(1))
    tunnel = balance([{"address": a, "max_connections": 1}])
    first, second = tunnel.connect("svc"), tunnel.connect("svc")
    assert first.recv_exact(1) == b"A"
    second.send(b"hello")
    expect.served(tunnel, first)
    first.close()
    assert second.recv_exact(6) == b"Ahello"


def test_waiting_for_a_slot_ends_with_the_dial_timeout(balance, farm):
    (a,) = addresses(farm(1))
    tunnel = balance([{"address": a, "max_connections": 1}], timeouts={"dial": "400ms"})
    with tunnel.connect("svc") as first:
        assert first.recv_exact(1) == b"A"
        assert tunnel.connect("svc").expect_reset() == b""
    assert tunnel.closed()["kind"] == "no_target"


def test_all_targets_refuse_and_each_is_named(balance):
    targets = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    tunnel = balance([targets[:2], targets[2:]])
    assert tunnel.connect("svc").expect_reset() == b""
    dial = tunnel.wait_for_event("dial_failed")
    for target in targets:
        assert target in dial["msg"]
        assert f"{target}=connect_refused" in str(dial)
    assert tunnel.closed()["tries"] == 3


def test_ejected_target_costs_the_next_connection_nothing(balance, farm):
    dead = f"127.0.0.1:{free_port()}"
    tunnel = balance([dead, farm(1)[0].address], balance="first", health={"eject_time": "1h",
                                                                         "eject_max": "1h"})
    for _ in range(5):
        assert ask(tunnel) == "A"
    tries = [tunnel.closed(count=i + 1)["tries"] for i in range(5)]
    assert tries == [2, 1, 1, 1, 1]
    ejected = tunnel.log.find("ejected")
    assert len(ejected) == 1 and ejected[0]["target"] == dead


def test_ejected_targets_are_tried_when_nothing_else_is_left(balance, serve):
    port = free_port()
    tunnel = balance([f"127.0.0.1:{port}"], health={"eject_time": "1h", "eject_max": "1h"})
    assert tunnel.connect("svc").expect_reset() == b""
    tunnel.wait_for_event("ejected")
    serve(names_itself(b"A"), port=port)
    assert ask(tunnel) == "A"
    tunnel.wait_for_event("restored")


def test_target_comes_back_by_itself(balance, farm, serve):
    port = free_port()
    tunnel = balance([f"127.0.0.1:{port}", farm(1)[0].address], balance="first",
                     health={"eject_time": "200ms", "eject_max": "400ms"})
    assert ask(tunnel) == "A"
    serve(names_itself(b"Z"), port=port)
    eventually(lambda: ask(tunnel) == "Z", "the first target serves again")
    tunnel.wait_for_event("restored")


# Names that stand for several targets.

def test_every_address_a_target_of_its_own(relay, dns, serve):
    first = serve(names_itself(b"A"), host="127.0.0.1")
    serve(names_itself(b"B"), host="127.0.0.2", port=first.port)
    dns.set("farm.test", "A", ["127.0.0.1", "127.0.0.2"])
    tunnel = relay([{"address": f"farm.test:{first.port}", "expand": True}], tls=False,
                   options={"workers": 1, "dns_servers": [dns.address]})
    dns.wait_for_query("farm.test", "A")
    eventually(lambda: tally(tunnel, 10) == {"A": 5, "B": 5}, "both addresses take turns")


def test_srv_priorities_are_groups_and_weights_weights(relay, dns, farm):
    servers = farm(3)
    ports = [s.port for s in servers]
    dns.set("host.farm.test", "A", ["127.0.0.1"])
    dns.set("_ldap._tcp.farm.test", "SRV", [(10, 30, ports[0], "host.farm.test"),
                                            (10, 10, ports[1], "host.farm.test"),
                                            (20, 0, ports[2], "host.farm.test")])
    tunnel = relay("srv:_ldap._tcp.farm.test", tls=False,
                   options={"workers": 1, "dns_servers": [dns.address]})
    assert ask(tunnel) in "AB"
    assert tally(tunnel, 40) == {"A": 30, "B": 10}
    servers[0].stop()
    servers[1].stop()
    assert ask(tunnel) == "C"


def test_srv_change_is_followed(relay, dns, farm):
    servers = farm(2)
    dns.set("host.farm.test", "A", ["127.0.0.1"])
    for i, server in enumerate(servers):
        dns.set("_x._tcp.farm.test", "SRV", [(1, 1, server.port, "host.farm.test")], ttl=1)
        if i == 0:
            tunnel = relay("srv:_x._tcp.farm.test", tls=False,
                           options={"dns_servers": [dns.address]})
            stays = tunnel.connect("svc")
            assert stays.recv_exact(1) == b"A"
    eventually(lambda: ask(tunnel) == "B", "the new target serves")
    expect.served(tunnel, stays)


def test_srv_targets_are_verified_under_their_own_names(relay, dns, pki, serve_tls):
    server = serve_tls(names_itself(b"A"), pki.leaf("dc1", names=["dc1.farm.test"], addresses=[]))
    dns.set("dc1.farm.test", "A", ["127.0.0.1"])
    dns.set("dc2.farm.test", "A", ["127.0.0.1"])
    for name, works in (("dc1.farm.test", True), ("dc2.farm.test", False)):
        dns.set("_x._tcp.farm.test", "SRV", [(1, 1, server.port, name)])
        tunnel = relay("srv:_x._tcp.farm.test", options={"dns_servers": [dns.address]})
        with tunnel.connect("svc") as client:
            if works:
                assert client.recv_exact(1) == b"A"
            else:
                assert client.expect_reset() == b""
                assert tunnel.closed()["kind"] == "cert_name_mismatch"


def test_targets_with_names_of_their_own(relay, pki, serve_tls):
    server = serve_tls(names_itself(b"A"), pki.leaf("dc1", names=["dc1.farm.test"], addresses=[]))
    tunnel = relay([{"address": server.address, "name": "dc1.farm.test"}])
    with Peer.connect(tunnel.address("svc")) as client:
        assert client.recv_exact(1) == b"A"
