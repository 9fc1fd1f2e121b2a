# SPDX-License-Identifier: MIT
"""The record layers: none, TLS 1.2's AES-GCM (RFC 5288), TLS 1.3's (RFC 8446 section 5.2)."""

import hashlib
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from harness.crafted import expand_label

from .messages import APPLICATION_DATA


def header(kind, size, version=0x0303):
    return struct.pack("!BHH", kind, version, size)


class Plain:
    def seal(self, kind, payload, version=0x0303, **_):
        return header(kind, len(payload), version) + payload

    def open(self, kind, body):
        return kind, body


class Gcm13:
    """One direction under one traffic secret."""

    def __init__(self, secret):
        self.secret, self.sequence = secret, 0
        self._key = AESGCM(expand_label(hashlib.sha256, secret, b"key", 16))
        self._iv = int.from_bytes(expand_label(hashlib.sha256, secret, b"iv", 12), "big")

    def _nonce(self):
        self.sequence += 1
        return (self._iv ^ (self.sequence - 1)).to_bytes(12, "big")

    def seal(self, kind, payload, version=0x0303, padding=0, outer=APPLICATION_DATA):
        inner = payload + (b"" if kind is None else bytes([kind])) + bytes(padding)
        above = header(outer, len(inner) + 16, version)
        return above + self._key.encrypt(self._nonce(), inner, above)

    def open(self, kind, body):
        if kind != APPLICATION_DATA:
            return kind, body
        inner = self._key.decrypt(self._nonce(), body, header(kind, len(body))).rstrip(b"\0")
        return inner[-1], inner[:-1]

    def updated(self):
        return Gcm13(expand_label(hashlib.sha256, self.secret, b"traffic upd", 32))


class Gcm12:
    def __init__(self, key, salt):
        self._key, self._salt, self.sequence = AESGCM(key), salt, 0

    def _above(self, kind, size, version=0x0303):
        self.sequence += 1
        return struct.pack("!Q", self.sequence - 1) + header(kind, size, version)

    def seal(self, kind, payload, version=0x0303, **_):
        explicit = struct.pack("!Q", self.sequence)
        sealed = self._key.encrypt(self._salt + explicit, payload,
                                   self._above(kind, len(payload), version))
        return header(kind, 8 + len(sealed), version) + explicit + sealed

    def open(self, kind, body):
        return kind, self._key.decrypt(self._salt + body[:8], body[8:],
                                       self._above(kind, len(body) - 24))


NotGenuine = InvalidTag
