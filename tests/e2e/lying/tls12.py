# SPDX-License-Identifier: MIT
"""TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and X25519 (RFC 5246, 8422, 5288, 7627)."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import messages as m
from .conversation import Conversation
from .records import Gcm12


def _prf(secret, label, seed, size):
    seed, out = label + seed, b""
    a = seed
    while len(out) < size:
        a = hmac.new(secret, a, hashlib.sha256).digest()
        out += hmac.new(secret, a + seed, hashlib.sha256).digest()
    return out[:size]


class Tls12(Conversation):
    STEPS = ("hello", "server_hello", "certificate", "server_key_exchange", "server_hello_done",
             "client_flight", "change_cipher_spec", "finished", "request", "answer", "end")
    SUITE = 0xC02B

    def __init__(self, *args):
        super().__init__(*args)
        self._private = x25519.X25519PrivateKey.generate()
        self.random, self.session_id = os.urandom(32), os.urandom(32)
        self.suite = self.SUITE

    # ---- messages

    def do_hello(self):
        self.hello = m.ClientHello(self.read_message())

    def server_hello_extensions(self):
        return m.extension(m.RENEGOTIATION_INFO, b"\0") + m.extension(m.EXTENDED_MASTER_SECRET)

    def server_hello(self):
        return m.server_hello(self.random, self.session_id, self.suite,
                              self.server_hello_extensions())

    def certificate(self):
        return m.certificate_12(self.chain())

    def share(self):
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def server_key_exchange(self, parameters=None, scheme=m.ECDSA_P256, key=None, signed=None):
        parameters = parameters or b"\3" + m.u16(m.X25519) + m.vector(1, self.share())
        signed = signed or self.hello.random + self.random + parameters
        signature = (key or self.identity.key).sign(signed, ec.ECDSA(hashes.SHA256()))
        return m.message(m.SERVER_KEY_EXCHANGE,
                         parameters + m.u16(scheme) + m.vector(2, signature))

    def server_hello_done(self):
        return m.message(m.SERVER_HELLO_DONE, b"")

    def do_client_flight(self):
        made = self.read_message()
        while made[0] != m.CLIENT_KEY_EXCHANGE:
            made = self.read_message()
        shared = self._private.exchange(x25519.X25519PublicKey.from_public_bytes(made[5:]))
        digest = hashlib.sha256(self.transcript).digest()
        self.master = _prf(shared, b"extended master secret", digest, 48)
        keys = _prf(self.master, b"key expansion", self.random + self.hello.random, 40)
        self._next_writing = Gcm12(keys[16:32], keys[36:40])
        while self.read_record()[0] != m.CHANGE_CIPHER_SPEC:
            pass
        self.reading = Gcm12(keys[:16], keys[32:36])
        self.read_message()

    def do_change_cipher_spec(self):
        self.send_raw(b"\x14\x03\x03\0\1\1")
        self.writing = self._next_writing

    def finished(self):
        digest = hashlib.sha256(self.transcript).digest()
        return m.message(m.FINISHED, _prf(self.master, b"server finished", digest, 12))

    # ---- after the handshake

    def read_data(self):
        kind, payload = self.read_record()
        if kind == m.APPLICATION_DATA:
            self.received += payload

