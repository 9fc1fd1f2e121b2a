# SPDX-License-Identifier: MIT
"""Servers that lie: whatever a server says, the log has the right word for it, the client sees the
end that belongs to it, and the process goes on, without spinning and without growing.

Each lie is told twice: with `on_truncation` as it is by default, and with "eof". Most lies are one
row of a table in lying/; what an orderly end and a truncation look like follows from the kind."""

import pytest
from harness.peer import Peer
from harness.tunnel import Tunnel
from harness.wait import SANITIZED
from lying.conversation import REQUEST
from lying.server import LyingServer
from lying.tables import LIES

TRUNCATIONS = ("reset", "eof")
# One connection costs a few milliseconds; a worker that spins burns all that it gets.
MOST_CPU_SECONDS = 2.0 * (10 if SANITIZED else 1)
MOST_GROWTH = 96 << 20  # of all lies together


def name(speak, lie):
    return f"{speak.__name__.lower()}-{lie.name}"


class World:
    """One process with two services for each lie, and a server that lies to all of them."""

    def __init__(self, folder, pki):
        self.server = LyingServer(LIES, pki)
        services = {}
        for address, (speak, lie) in zip(self.server.addresses, LIES):
            keys = {**lie.service}
            tls = {"ca": pki.ca.file, **keys.pop("tls", {})}
            for truncation in TRUNCATIONS:
                services[f"{name(speak, lie)}-{truncation}"] = {
                    "accept": "127.0.0.1:0", "connect": address, "on_truncation": truncation,
                    "tls": tls, **keys}
        self.tunnel = Tunnel(folder, {"workers": 1, **services})
        self.memory = self.tunnel.ps.memory_info().rss
        self.addresses = {e["service"]: e["address"] for e in self.tunnel.log.find("listening")}

    def cpu(self):
        times = self.tunnel.ps.cpu_times()
        return times.user + times.system

    def stop(self):
        try:
            self.tunnel.stop()
        finally:
            self.server.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory, pki):
    world = World(tmp_path_factory.mktemp("lying"), pki)
    yield world
    world.stop()


def check_end(world, service, lie, end, is_tolerant):
    tunnel = world.tunnel
    closed = tunnel.closed(service=service)
    dials = tunnel.log.find("dial_failed", service=service)
    why = f"{closed}\n{dials}\n{world.server.errors}"
    assert closed["kind"] == lie.kind, why
    is_orderly = lie.kind == "ok" or (lie.kind == "truncated" and is_tolerant)
    assert end == (lie.expected(), "eof" if is_orderly else "reset"), why
    if closed["bytes_down"] == closed["bytes_up"] == 0:
        assert all("client key" not in dial["msg"] for dial in dials), why
        tunnel.wait_for_event("ejected", service=service)


@pytest.mark.parametrize("index", range(len(LIES)), ids=[name(*row) for row in LIES])
def test_server_that_lies(world, index):
    speak, lie = LIES[index]
    tunnel, before = world.tunnel, world.cpu()
    services = {f"{name(speak, lie)}-{truncation}": truncation for truncation in TRUNCATIONS}
    clients = {service: Peer.connect(world.addresses[service]) for service in services}
    upload = bytes(range(256)) * (lie.upload // 256) or REQUEST
    for client in clients.values():
        try:
            client.send(upload)
        except ConnectionError:
            pass  # it ends sooner than that
    for service, truncation in services.items():
        with clients[service] as client:
            end = client.read_to_end()
        check_end(world, service, lie, end, truncation == "eof")
    conversations = world.server.conversations[index]
    if not lie.is_told_later():
        assert not any(c.received for c in conversations), "the client's data went out before TLS"
    if lie.upload:
        assert all(c.received == upload for c in conversations)
    assert tunnel.process.poll() is None, tunnel.log.text()
    assert world.cpu() - before < MOST_CPU_SECONDS


def test_all_lies_together_cost_little_memory(world):
    assert not world.server.errors, world.server.errors
    if not SANITIZED:
        assert world.tunnel.ps.memory_info().rss - world.memory < MOST_GROWTH


def test_no_lie_is_told_twice_under_one_name():
    assert len({name(*row) for row in LIES}) == len(LIES) >= 150
