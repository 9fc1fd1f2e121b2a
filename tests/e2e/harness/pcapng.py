# SPDX-License-Identifier: MIT
"""Reads captures that are too long for tshark's patience: packets of LINKTYPE_RAW with IPv4."""

import hashlib
import struct

_SECTION, _PACKET = 0x0A0D0D0A, 6
_DROP_COUNT = 4


class Side:
    """What one side of all connections to a port has sent."""

    def __init__(self):
        self.size, self.gaps = 0, 0
        self._digest = hashlib.sha256()
        self._next = None

    def take(self, sequence, flags, data):
        if flags & 2:  # SYN
            self._next = sequence + 1 & 0xFFFFFFFF
            return
        if not data:
            return
        self.gaps += sequence != self._next
        self._next = sequence + len(data) & 0xFFFFFFFF
        self.size += len(data)
        self._digest.update(data)

    def digest(self):
        return self._digest.hexdigest()


def _blocks(path):
    with open(path, "rb") as file:
        while head := file.read(8):
            kind, length = struct.unpack("<II", head)
            body = file.read(length - 8)
            assert len(body) == length - 8 and body[-4:] == head[4:]
            yield kind, body


def _dropped(options):
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from("<HH", options, at)
        if code == _DROP_COUNT:
            return struct.unpack_from("<Q", options, at + 4)[0]
        if code == 0:
            return 0
        at += 4 + size + -size % 4
    return 0


def read(path, server_port):
    """(client's Side, server's Side, packets that are said to be missing)."""
    client, server, dropped = Side(), Side(), 0
    for kind, body in _blocks(path):
        if kind != _PACKET:
            continue
        size = struct.unpack_from("<I", body, 12)[0]
        dropped += _dropped(body[20 + size + -size % 4:-4])
        ip = (body[20] & 15) * 4
        source, _, sequence, _, offset, flags = struct.unpack_from(">HHIIBB", body, 20 + ip)
        side = server if source == server_port else client
        side.take(sequence, flags, body[20 + ip + (offset >> 4) * 4:20 + size])
    return client, server, dropped
