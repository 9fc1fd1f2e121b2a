# SPDX-License-Identifier: MIT
"""Thousands of clients at once."""

import resource
import selectors
import socket

import pytest

from .peer import Peer
from .wait import PATIENCE


def need_files(count):
    """As many open files are allowed for this process and its children from now on, or more; where
    that cannot be, the test is skipped."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        pytest.skip(f"the limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Crowd:
    """Many keep-alive HTTP clients in one thread."""

    REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    def __init__(self, address, count):
        self.sockets = []
        # In batches: a burst beyond the backlog would cost SYN retransmissions.
        while len(self.sockets) < count:
            batch = [Peer.connect(address).sock for _ in range(min(100, count - len(self.sockets)))]
            self.sockets += batch
            self.all_answer(batch)

    def all_answer(self, sockets=None):
        """Every connection sends a request and gets its answer."""
        sockets = sockets if sockets is not None else self.sockets
        with selectors.DefaultSelector() as selector:
            for sock in sockets:
                selector.register(sock, selectors.EVENT_READ, bytearray())
                sock.sendall(self.REQUEST)
            waiting = len(sockets)
            while waiting:
                ready = selector.select(PATIENCE)
                assert ready, f"{waiting} of {len(sockets)} connections do not answer"
                for key, _ in ready:
                    data = key.fileobj.recv(4096)
                    assert data, "a connection was closed"
                    key.data.extend(data)
                    if key.data.endswith(b"pong\n"):
                        selector.unregister(key.fileobj)
                        waiting -= 1

    def leave(self):
        for sock in self.sockets:
            sock.shutdown(socket.SHUT_WR)
        for sock in self.sockets:
            sock.close()
