# SPDX-License-Identifier: MIT
"""TLS 1.3 with TLS_AES_128_GCM_SHA256 (RFC 8446)."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from harness.crafted import expand_label

from . import messages as m
from .conversation import Conversation
from .records import Gcm13

_EMPTY = hashlib.sha256(b"").digest()


def _extract(salt, secret):
    return hmac.new(salt, secret, hashlib.sha256).digest()


class Tls13(Conversation):
    STEPS = ("hello", "server_hello", "change_cipher_spec", "encrypted_extensions", "certificate",
             "certificate_verify", "finished", "client_finished", "request", "answer", "end")
    SUITE = 0x1301

    def __init__(self, *args):
        super().__init__(*args)
        self.group, self._private = m.X25519, x25519.X25519PrivateKey.generate()
        self.random = os.urandom(32)
        self.suite, self._shares = self.SUITE, {}

    # ---- messages

    def do_hello(self):
        self.hello = m.ClientHello(self.read_message())
        self._shares = {**self._shares, **self.hello.shares()}

    def use_p384(self):
        self.group, self._private = m.P384, ec.generate_private_key(ec.SECP384R1())

    def share(self):
        public = self._private.public_key()
        if self.group == m.X25519:
            return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def _shared_secret(self):
        theirs = self._shares[self.group]
        if self.group == m.X25519:
            return self._private.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        return self._private.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), theirs))

    def server_hello_extensions(self):
        return (m.extension(m.SUPPORTED_VERSIONS, m.u16(0x0304)) +
                m.extension(m.KEY_SHARE, m.u16(self.group) + m.vector(2, self.share())))

    def server_hello(self):
        return m.server_hello(self.random, self.hello.session_id, self.suite,
                              self.server_hello_extensions())

    def after_server_hello(self):
        early = _extract(bytes(32), bytes(32))
        self._handshake_secret = _extract(self._derive(early, b"derived", _EMPTY),
                                          self._shared_secret())
        self.server_secret = self._derive(self._handshake_secret, b"s hs traffic")
        self._client_secret = self._derive(self._handshake_secret, b"c hs traffic")
        self.reading, self.writing = Gcm13(self._client_secret), Gcm13(self.server_secret)

    def do_change_cipher_spec(self):
        self.send_raw(b"\x14\x03\x03\0\1\1")

    def encrypted_extensions(self):
        return m.message(m.ENCRYPTED_EXTENSIONS, m.vector(2, b""))

    def certificate(self):
        return m.certificate_13(self.chain())

    def signed_content(self, context=b"TLS 1.3, server CertificateVerify"):
        return b" " * 64 + context + b"\0" + hashlib.sha256(self.transcript).digest()

    def certificate_verify(self, content=None, scheme=m.ECDSA_P256):
        signature = self.identity.key.sign(content or self.signed_content(),
                                           ec.ECDSA(hashes.SHA256()))
        return m.message(m.CERTIFICATE_VERIFY, m.u16(scheme) + m.vector(2, signature))

    def finished(self):
        key = expand_label(hashlib.sha256, self.server_secret, b"finished", 32)
        return m.message(m.FINISHED, hmac.new(key, hashlib.sha256(self.transcript).digest(),
                                              hashlib.sha256).digest())

    def after_finished(self):
        master = _extract(self._derive(self._handshake_secret, b"derived", _EMPTY), bytes(32))
        self.writing = Gcm13(self._derive(master, b"s ap traffic"))
        self._next_reading = Gcm13(self._derive(master, b"c ap traffic"))

    def do_client_finished(self):
        while self.read_message()[0] != m.FINISHED:
            pass
        self.reading = self._next_reading

    def _derive(self, secret, label, transcript_hash=None):
        return expand_label(hashlib.sha256, secret, label, 32,
                            transcript_hash or hashlib.sha256(self.transcript).digest())

    # ---- after the handshake

    def read_data(self):
        """One record, whatever it holds; KeyUpdates are followed."""
        kind, payload = self.read_record()
        if kind == m.APPLICATION_DATA:
            self.received += payload
        elif kind == m.HANDSHAKE and payload[0] == m.KEY_UPDATE:
            self.reading = self.reading.updated()

    def update_keys(self, request=0):
        self.send_record(m.HANDSHAKE, m.message(m.KEY_UPDATE, m.u8(request)))
        self.writing = self.writing.updated()
