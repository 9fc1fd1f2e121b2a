# SPDX-License-Identifier: MIT
"""How long a client's first byte takes to a server that is 25 ms away: through each program, and
through ours with connections that are ready before the client comes."""

import queue
import ssl
import statistics
import threading
import time

import peers
from harness.netns import Namespace
from harness.network import Weather, Wire
from harness.network import why_not as why_no_network
from harness.peer import Peer
from harness.pki import Authority
from harness.server import TlsServer

ONE_WAY_SECONDS = 0.025


class FarServer:
    """Says when a connection's first byte has come."""

    def __init__(self, folder, far, host):
        authority = Authority(folder, "far")
        identity = authority.issue("far-leaf", names=(peers.NAME,))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.chain_file, identity.key_file)
        self.arrivals = queue.Queue()
        self._server = far.call(lambda: TlsServer(self._serve, context, host=host))
        self.ca, self.host = authority.file, host
        self.ports = dict.fromkeys(("full", "resumed"), self._server.port)

    def _serve(self, peer):
        if peer.recv(1):
            self.arrivals.put(time.monotonic())
            peer.read_to_end()

    def stop(self):
        self._server.stop()


def first_bytes(folder, kinds, count):
    """Seconds by program; an empty answer, and why, where a machine can have no such network."""
    if why := why_no_network():
        return {}, why
    near, far = Namespace(), Namespace()
    wire = Wire(near, far)
    wire.weather = Weather(delay=ONE_WAY_SECONDS)
    server = FarServer(folder, far, wire.far_address)
    found = {}
    try:
        for kind in kinds:
            peer = kind(folder, server, None, prefix=near.prefix).start()
            try:
                found[kind.name] = statistics.median(
                    _first_byte(near, peer, server) for _ in range(count))
            finally:
                peer.stop()
    finally:
        server.stop()
        wire.stop()
        near.stop()
        far.stop()
    return found, None


def _first_byte(near, peer, server):
    # What is ready beforehand is replaced in the meantime.
    threading.Event().wait(20 * ONE_WAY_SECONDS)
    began = time.monotonic()
    with near.call(lambda: Peer.connect(f"127.0.0.1:{peer.ports['full']}")) as client:
        client.send(b"x")
        return server.arrivals.get(timeout=30) - began
