# SPDX-License-Identifier: MIT
"""TLS 1.3 records made by hand, for what no server can be asked to send: empty records, alerts in
the middle of the data, padding, updated keys.

The server's context needs `keylog`, `tickets=0` and `minimum=TLSv1_3`, so that its writing key is
known and no record has been sent under it yet. From `CraftedWriter(peer, ...)` on, only the writer
may send; reading stays OpenSSL's.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23


def expand_label(digest, secret, label, length, context=b""):
    """RFC 8446 section 7.1."""
    name = b"tls13 " + label
    info = (struct.pack("!HB", length, len(name)) + name +
            bytes([len(context)]) + context)
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(secret, block + info + bytes([counter]), digest).digest()
        out, counter = out + block, counter + 1
    return out[:length]


class CraftedWriter:
    def __init__(self, peer, keylog):
        self.peer = peer
        suite = peer.tls.cipher()[0]
        self._digest = hashlib.sha384 if "SHA384" in suite else hashlib.sha256
        self._aead = ChaCha20Poly1305 if "CHACHA20" in suite else AESGCM
        self._key_size = 16 if "AES_128" in suite else 32
        # The client's random tells the connections of one file apart, but python does not show it:
        # the last line is ours when the server handles one connection at a time.
        lines = [line.split() for line in open(keylog, encoding="ascii")]
        self._secret = bytes.fromhex(
            [fields[2] for fields in lines if fields[0] == "SERVER_TRAFFIC_SECRET_0"][-1])
        self._derive()

    def _derive(self):
        self._key = self._aead(expand_label(self._digest, self._secret, b"key", self._key_size))
        self._iv = expand_label(self._digest, self._secret, b"iv", 12)
        self._sequence = 0

    def record(self, kind, payload, padding=0):
        inner = payload + bytes([kind]) + bytes(padding)
        header = struct.pack("!BHH", 23, 0x0303, len(inner) + 16)
        nonce = (int.from_bytes(self._iv, "big") ^ self._sequence).to_bytes(12, "big")
        self._sequence += 1
        return header + self._key.encrypt(nonce, inner, header)

    def send(self, payload, kind=APPLICATION_DATA, padding=0):
        self.peer.sock.sendall(self.record(kind, payload, padding))

    def alert(self, description, level=2):
        self.send(bytes([level, description]), kind=ALERT)

    def key_update(self, request_reply):
        self.send(struct.pack("!B", 24) + b"\0\0\1" + bytes([request_reply]), kind=HANDSHAKE)
        self._secret = expand_label(self._digest, self._secret, b"traffic upd",
                                     self._digest().digest_size)
        self._derive()
