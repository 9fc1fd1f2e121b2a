# SPDX-License-Identifier: MIT
"""Volume, memory and numbers: what only shows under load."""

import threading

import pytest
from harness import expect
from harness.crowd import Crowd, need_files
from harness.programs import Nginx
from harness.server import echo
from harness.volume import MIB, digest_of, receive, send
from harness.wait import PATIENCE, eventually

pytestmark = pytest.mark.heavy

@pytest.mark.needs("nginx")
def test_a_quarter_of_a_gigabyte_each_way_at_the_same_time(relay, pki, tmp_path, keep, serve):
    total = 256 * MIB
    seen = []

    def script(peer):
        sender = threading.Thread(target=send, args=(peer, 2, total), daemon=True)
        sender.start()
        seen.append(receive(peer, total))
        sender.join()
        peer.send(b".")
        peer.read_to_end()

    backend = serve(script)
    nginx = keep(Nginx(tmp_path, pki.leaf(), backend.address))
    tunnel = relay(nginx)
    client = tunnel.connect("svc")
    sender = threading.Thread(target=send, args=(client, 1, total), daemon=True)
    sender.start()
    got = receive(client, total)
    sender.join()
    assert client.recv_exact(1) == b"."
    client.half_close()
    assert client.expect_eof() == b""
    backend.wait_until_scripts_end()
    assert got == digest_of(2, total)
    assert seen == [digest_of(1, total)]
    closed = tunnel.closed()
    assert closed["kind"] == "ok"
    assert (closed["bytes_up"], closed["bytes_down"]) == (total, total + 1)


def rss(tunnel):
    return tunnel.ps.memory_info().rss


class Offer:
    """Sends `total` bytes into a peer in a thread of its own, and knows how far it got."""

    def __init__(self, peer, total):
        self.sent = 0
        self._peer, self._total = peer, total
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        piece = bytes(256 * 1024)
        try:
            while self.sent < self._total:
                self._peer.send(piece)
                self.sent += len(piece)
        except (OSError, ValueError):
            pass

    def wait_until_stalled(self):
        """Nothing has moved for a second, though the other side could take more."""
        last = [-1, 0]

        def still():
            last[1] = last[1] + 1 if self.sent == last[0] else 0
            last[0] = self.sent
            return last[1] >= 10

        eventually(still, "back-pressure stops the sender", interval=0.1)
        assert 0 < self.sent < self._total, "the sender was never stopped"


def warm_up(tunnel):
    """Until first-use costs (trust, arenas, scratch buffers) are paid."""
    for _ in range(4):
        with tunnel.connect("svc") as client:
            client.send(bytes(4 * MIB))


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_client_that_does_not_read_costs_no_memory(relay, serve, serve_tls, tls):
    offers = []

    def script(peer):
        if peer.recv_exact(1) == b"\0":  # warming up
            peer.read_to_end()
            return
        offers.append(Offer(peer, 1 << 30))
        offering.set()
        over.wait(PATIENCE * 2)

    offering, over = threading.Event(), threading.Event()
    server = serve_tls(script) if tls else serve(script)
    tunnel = relay(server, tls={} if tls else False)
    warm_up(tunnel)
    before = rss(tunnel)
    with tunnel.connect("svc") as client:
        client.send(b"x")
        assert offering.wait(PATIENCE)
        offers[0].wait_until_stalled()
        grown = rss(tunnel) - before
        assert grown < 2 * MIB, f"resident memory grew by {grown / MIB:.1f} MiB"
        # And it goes on where it stopped.
        receive(client, offers[0].sent + 8 * MIB)
    over.set()


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_server_that_does_not_read_costs_no_memory(relay, serve, serve_tls, tls):
    def script(peer):
        if peer.recv_exact(1) == b"\0":
            peer.read_to_end()
            return
        peer.send(b"stalling")
        go_on.wait(PATIENCE * 2)
        drained.append(receive(peer, 8 * MIB))

    go_on, drained = threading.Event(), []
    server = serve_tls(script) if tls else serve(script)
    tunnel = relay(server, tls={} if tls else False)
    warm_up(tunnel)
    before = rss(tunnel)
    with tunnel.connect("svc") as client:
        client.send(b"x")
        assert client.recv_exact(8) == b"stalling"
        offer = Offer(client, 1 << 30)
        offer.wait_until_stalled()
        grown = rss(tunnel) - before
        assert grown < 2 * MIB, f"resident memory grew by {grown / MIB:.1f} MiB"
        go_on.set()
        eventually(lambda: drained, "it goes on where it stopped")


@pytest.mark.needs("nginx")
def test_five_thousand_connections_come_answer_and_go(relay, pki, tmp_path, keep):
    count = 5000
    need_files(2 * count + 200)
    nginx = keep(Nginx(tmp_path, pki.leaf(), connections=count + 200))
    tunnel = relay(nginx)
    Crowd(tunnel.address("svc"), 100).leave()  # first-use costs
    tunnel.closed(count=100)
    files, memory = tunnel.ps.num_fds(), rss(tunnel)

    crowd = Crowd(tunnel.address("svc"), count)
    assert tunnel.ps.num_fds() >= files + 2 * count - 200
    per_connection = (rss(tunnel) - memory) / count
    crowd.all_answer()
    assert per_connection < 64 * 1024, f"{per_connection:.0f} bytes a connection"

    crowd.leave()
    tunnel.closed(count=100 + count)
    eventually(lambda: tunnel.ps.num_fds() <= files, "descriptors are given back")
    # What the allocator keeps for the next crowd: less than 2 KiB a connection.
    eventually(lambda: rss(tunnel) - memory < 10 * MIB,
               lambda: f"memory is given back: {rss(tunnel) / MIB:.1f} MiB, not {memory / MIB:.1f}")
    with tunnel.connect("svc") as client:
        client.send(Crowd.REQUEST)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")


def test_thousands_of_short_connections_leave_nothing(relay, serve_tls):
    tunnel = relay(serve_tls(echo))

    def burst(n):
        for _ in range(n):
            with tunnel.connect("svc") as client:
                expect.served(tunnel, client)

    burst(200)
    files, memory = tunnel.ps.num_fds(), rss(tunnel)
    burst(1500)
    tunnel.closed(count=1700)
    eventually(lambda: tunnel.ps.num_fds() <= files, "descriptors are given back")
    grown = rss(tunnel) - memory
    assert grown < 3 * MIB, f"resident memory grew by {grown / MIB:.1f} MiB"

