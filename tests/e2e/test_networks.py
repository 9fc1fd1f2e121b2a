# SPDX-License-Identifier: MIT
"""Networks that lose, reorder, repeat, delay and swallow packets, and cables that are pulled.
PULLED_SECONDS: for how long at least."""

import hashlib
import os
import threading
import time

import pytest
from harness import expect, network
from harness.netns import Namespace
from harness.network import Weather, Wire
from harness.server import Server, TlsServer, echo
from harness.wait import PATIENCE, eventually

WHY_NOT = network.why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

UP, DOWN = os.urandom(300 << 10), os.urandom(300 << 10)

# Each way.
WEATHERS = {
    "loss": Weather(loss=0.03),
    "reordering": Weather(reordering=0.2),
    "duplication": Weather(duplication=0.2),
    "delay": Weather(delay=0.3),
    "slow": Weather(rate=1e6),
    "everything": Weather(loss=0.01, duplication=0.05, reordering=0.1, delay=0.05, rate=4e6),
}
LOSSLESS = ("reordering", "duplication", "delay", "slow")

PULLED_SECONDS = float(os.environ.get("PULLED_SECONDS", "0"))
# The kernel waits twice as long before each repetition.
PULLED_PATIENCE = PATIENCE + 3 * PULLED_SECONDS

# Nothing here may end because a network is only slow.
PATIENT = {"connect": "60s", "handshake": "60s", "dial": "120s"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Networks:
    """The tunnel and its clients are near, its servers are far, on the other side of each wire."""

    def __init__(self, keep, relay, pki):
        self.near, self.far = keep(Namespace()), keep(Namespace())
        self._keep, self._relay, self._pki = keep, relay, pki
        self.wires = []

    def wire(self, **weather):
        self.wires.append(self._keep(Wire(self.near, self.far, len(self.wires) + 1)))
        self.wires[-1].weather = Weather(**weather)
        return self.wires[-1]

    def serve(self, script, wire=None, tls=True):
        host = (wire or self.wires[0]).far_address
        return self._keep(self.far.call(
            lambda: TlsServer(script, self._pki.context(), host=host) if tls
            else Server(script, host=host)))

    def tunnel(self, *servers, **keys):
        """One service, which prefers the servers in this order."""
        return self._relay([[server.address] for server in servers], prefix=self.near.prefix,
                           **{"tls": {"name": "server.test"}, "timeouts": PATIENT, **keys})

    def client(self, tunnel):
        return self.near.call(lambda: tunnel.connect("svc"))


@pytest.fixture
def networks(keep, relay, pki):
    return Networks(keep, relay, pki)


@pytest.fixture(params=WEATHERS)
def bad(request, networks):
    wire = networks.wire()
    wire.weather = WEATHERS[request.param]
    return networks


@pytest.fixture(params=LOSSLESS)
def bad_but_lossless(request, networks):
    wire = networks.wire()
    wire.weather = WEATHERS[request.param]
    return networks


def sending(peer, data):
    """A thread that sends it and ends its direction."""

    def send():
        peer.send(data)
        peer.half_close()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def expect_echo(peer, data):
    sender = sending(peer, data)
    got = peer.expect_eof()
    sender.join()
    assert sha256(got) == sha256(data)


# ---- what arrives

def test_bytes_of_both_directions_at_once_are_right(bad):
    tunnel = bad.tunnel(bad.serve(echo))
    with bad.client(tunnel) as client:
        expect_echo(client, UP)
    closed = tunnel.closed()
    assert (closed["kind"], closed["bytes_up"], closed["bytes_down"]) == ("ok", len(UP), len(UP))


def test_answer_after_a_half_close_arrives_whole(bad):
    seen = []

    def answer(peer):
        seen.append(peer.read_to_end())
        peer.send(DOWN)
        peer.half_close()

    tunnel = bad.tunnel(bad.serve(answer))
    with bad.client(tunnel) as client:
        sending(client, UP)
        assert sha256(client.expect_eof()) == sha256(DOWN)
    assert [(end.how, sha256(end.data)) for end in seen] == [("close_notify", sha256(UP))]
    assert tunnel.closed()["kind"] == "ok"


# ---- resets

def test_reset_of_the_server_reaches_the_client(bad):
    def answer_and_reset(peer):
        peer.send(peer.recv())
        assert peer.recv() == b"bye"
        peer.reset()

    # Nobody repeats an RST that was lost: a probe asks for another one.
    tunnel = bad.tunnel(bad.serve(answer_and_reset),
                        keepalive={"idle": "1s", "interval": "1s", "count": 30})
    with bad.client(tunnel) as client:
        expect.served(tunnel, client)
        client.send(b"bye")
        assert client.expect_reset() == b""
    closed = tunnel.closed()
    assert (closed["kind"], closed["side"]) == ("reset_by_server", "server")


def test_reset_of_the_client_reaches_the_server(bad_but_lossless):
    ends = []

    def read(peer):
        peer.send(peer.recv())
        ends.append(peer.read_to_end())

    server = bad_but_lossless.serve(read)
    tunnel = bad_but_lossless.tunnel(server)
    client = bad_but_lossless.client(tunnel)
    expect.served(tunnel, client)
    client.reset()
    server.wait_until_scripts_end()
    assert [end.how for end in ends] == ["reset"]
    assert tunnel.closed()["kind"] == "reset_by_client"


# ---- cables that are pulled

def failed_over(tunnel, first, second):
    """Why the first one was given up for the second."""
    assert tunnel.closed()["target"] == second.address
    ejected = tunnel.wait_for_event("ejected")
    assert ejected["target"] == first.address
    return ejected["kind"]


def test_cable_pulled_before_the_dial_leads_to_the_next_target(networks):
    first, second = networks.wire(), networks.wire()
    servers = [networks.serve(echo, wire) for wire in (first, second)]
    tunnel = networks.tunnel(*servers, timeouts={"connect": "1s"})
    first.unplug()
    with networks.client(tunnel) as client:
        closed = expect.served_to_the_end(tunnel, client)
    assert closed["total_ms"] >= 900, "timeouts.connect was not used"
    assert failed_over(tunnel, *servers) == "connect_timeout"
    # It is known by now: the next one does not wait.
    with networks.client(tunnel) as client:
        expect.served_to_the_end(tunnel, client)
    assert tunnel.closed(2)["tries"] == 1


def test_cable_pulled_during_the_dial_leads_to_the_next_target(networks):
    first, second = networks.wire(), networks.wire()
    servers = [networks.serve(echo, wire) for wire in (first, second)]
    tunnel = networks.tunnel(*servers, timeouts={"handshake": "1s"})

    def pull_at_the_hello(packet):
        if len(packet) > 200:
            first.unplug()

    first.on_packet = pull_at_the_hello
    with networks.client(tunnel) as client:
        expect.served_to_the_end(tunnel, client)
    assert failed_over(tunnel, *servers) == "tls_timeout"


def test_all_cables_pulled_end_the_dial_at_its_limit(networks):
    first, second = networks.wire(), networks.wire()
    servers = [networks.serve(echo, wire) for wire in (first, second)]
    tunnel = networks.tunnel(*servers, timeouts={"connect": "1s", "dial": "1500ms"})
    first.unplug(), second.unplug()
    with networks.client(tunnel) as client:
        assert client.expect_reset() == b""
    closed = tunnel.closed()
    assert closed["kind"] == "connect_timeout"
    assert closed["total_ms"] >= 1400, "timeouts.dial was not used"


def test_transfer_goes_on_after_the_cable_is_back(networks):
    def patient_echo(peer):
        peer.sock.settimeout(PULLED_PATIENCE)
        echo(peer)

    wire = networks.wire()
    tunnel = networks.tunnel(networks.serve(patient_echo))
    with networks.client(tunnel) as client:
        client.sock.settimeout(PULLED_PATIENCE)
        sender = sending(client, UP)
        got = client.recv_exact(50_000)
        wire.unplug()
        before, until = wire.lost, time.monotonic() + PULLED_SECONDS
        eventually(lambda: wire.lost >= before + 5 and time.monotonic() >= until,
                   "packets are sent in vain", PULLED_PATIENCE)
        wire.plug()
        got += client.expect_eof()
        sender.join()
    assert sha256(got) == sha256(UP)
    assert tunnel.closed()["kind"] == "ok"


def test_quiet_connection_outlives_a_pulled_cable(networks):
    wire = networks.wire()
    tunnel = networks.tunnel(networks.serve(echo),
                             keepalive={"idle": "1s", "interval": "1s", "count": 60})
    with networks.client(tunnel) as client:
        expect.served(tunnel, client)
        wire.unplug()
        eventually(lambda: wire.lost >= 2, "it is probed in vain")
        wire.plug()
        client.send(b"more")
        assert client.recv_exact(4) == b"more"


def cut_off(networks, **keys):
    """A tunnel, and its client, who has sent something since the cable was pulled."""
    wire = networks.wire()
    tunnel = networks.tunnel(networks.serve(echo), **keys)
    client = networks.client(tunnel)
    expect.served(tunnel, client)
    wire.unplug()
    client.send(b"lost")
    return tunnel, client


def test_cable_that_stays_away_is_noticed_by_the_idle_limit(networks):
    tunnel, client = cut_off(networks, timeouts={"idle": "2s"})
    assert client.expect_reset() == b""
    assert tunnel.closed()["kind"] == "idle_timeout"
    client.close()


def test_cable_that_stays_away_is_noticed_when_the_kernel_gives_up(networks):
    """While something is unacknowledged there are no probes, but repetitions."""
    if not network.set_kernel(networks.near, "tcp_retries2", 3):
        pytest.skip("/proc/sys is read-only")
    tunnel, client = cut_off(networks, timeouts={"idle": "off"})
    assert client.expect_reset() == b""
    closed = tunnel.closed()
    assert (closed["kind"], closed["side"]) == ("connection_lost", "server")
    client.close()


# ---- MTU black holes

def test_black_hole_during_the_handshake_leads_to_the_next_target(networks):
    hole, good = networks.wire(largest=600), networks.wire()
    servers = [networks.serve(echo, wire) for wire in (hole, good)]
    tunnel = networks.tunnel(*servers, timeouts={"handshake": "2s"})
    with networks.client(tunnel) as client:
        expect.served_to_the_end(tunnel, client)
    assert failed_over(tunnel, *servers) == "tls_timeout"
    assert hole.lost > 0


def test_black_hole_after_the_handshake_is_noticed_by_the_idle_limit(networks):
    wire = networks.wire()
    tunnel = networks.tunnel(networks.serve(echo), timeouts={"idle": "2s"})
    with networks.client(tunnel) as client:
        expect.served(tunnel, client)
        wire.weather = Weather(largest=600)
        client.send(UP[:10_000])
        assert client.expect_reset() == b""
    assert tunnel.closed()["kind"] == "idle_timeout"
    assert wire.lost > 0


def test_black_hole_is_passed_where_the_kernel_looks_for_one(networks):
    for namespace in (networks.near, networks.far):
        if not (network.set_kernel(namespace, "tcp_mtu_probing", 1)
                and network.set_kernel(namespace, "tcp_retries1", 1)):
            pytest.skip("/proc/sys is read-only")
    wire = networks.wire(largest=1200)
    tunnel = networks.tunnel(networks.serve(echo))
    with networks.client(tunnel) as client:
        expect_echo(client, UP)
    assert wire.lost > 0
