# SPDX-License-Identifier: MIT
"""A TLS server that cannot stand tickets: it gives them, and breaks off when one is offered."""

import socket
import struct

from .peer import Peer
from .server import TlsServer
from .wait import PATIENCE

_SESSION_TICKET, _PRE_SHARED_KEY = 35, 41


def _extensions(hello):
    """(type, content) of each extension of a ClientHello, which fills one record."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + struct.unpack_from("!H", hello, at)[0]
    at += 1 + hello[at]
    end = at + 2 + struct.unpack_from("!H", hello, at)[0]
    at += 2
    while at < end:
        kind, size = struct.unpack_from("!HH", hello, at)
        yield kind, hello[at + 4:at + 4 + size]
        at += 4 + size


def offers_ticket(hello):
    return any(kind == _PRE_SHARED_KEY or (kind == _SESSION_TICKET and content)
               for kind, content in _extensions(hello))


class IntolerantServer(TlsServer):
    """`refuse(sock)` is what it does to a connection that offers a ticket (or to every one, when
    `is_broken`); they are counted."""

    def __init__(self, script, context, refuse, before=None, **kwargs):
        """`before(peer)` is said in plaintext first, on every connection."""
        self.refuse, self.refused, self.is_broken = refuse, 0, False
        self.before = before
        super().__init__(script, context, **kwargs)

    def wrap(self, sock):
        sock.settimeout(PATIENCE)
        if self.before:
            self.before(Peer(sock))
        hello = b""
        while len(hello) < 5 or len(hello) < 5 + struct.unpack_from("!H", hello, 3)[0]:
            before = len(hello)
            hello = sock.recv(65536, socket.MSG_PEEK | (0 if before < 5 else socket.MSG_WAITALL))
            if len(hello) == before == 0:
                return None  # it left without a word
        if self.is_broken or offers_ticket(hello):
            self.refused += 1
            self.refuse(sock)
            return None
        return super().wrap(sock)


def alert(sock):
    """handshake_failure"""
    sock.recv(65536)
    sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def close(sock):
    sock.recv(65536)


def silence(sock):
    """Until the client gives up."""
    while sock.recv(65536):
        pass
