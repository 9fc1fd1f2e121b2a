# SPDX-License-Identifier: MIT
"""Messages of TLS, put together (RFC 8446, RFC 5246) and, for the ClientHello, taken apart."""

import struct

ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 21, 20, 22, 23, 24

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, END_OF_EARLY_DATA = 0, 1, 2, 4, 5
ENCRYPTED_EXTENSIONS, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST = 8, 11, 12, 13
SERVER_HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED = 14, 15, 16, 20
CERTIFICATE_STATUS, KEY_UPDATE, COMPRESSED_CERTIFICATE = 22, 24, 25

SERVER_NAME, MAX_FRAGMENT_LENGTH, STATUS_REQUEST, SUPPORTED_GROUPS = 0, 1, 5, 10
EC_POINT_FORMATS = 11
SIGNATURE_ALGORITHMS, ALPN, SCT, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET = 13, 16, 18, 22, 23
RECORD_SIZE_LIMIT, SESSION_TICKET, PRE_SHARED_KEY, EARLY_DATA = 28, 35, 41, 42
SUPPORTED_VERSIONS, COOKIE, KEY_SHARE, RENEGOTIATION_INFO = 43, 44, 51, 0xff01

X25519, P256, P384 = 29, 23, 24
ECDSA_P256 = 0x0403

# The random of a HelloRetryRequest (RFC 8446 section 4.1.3).
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def u8(number):
    return number.to_bytes(1, "big")


def u16(number):
    return number.to_bytes(2, "big")


def u24(number):
    return number.to_bytes(3, "big")


def vector(width, content):
    """Content behind its length in so many bytes."""
    return len(content).to_bytes(width, "big") + content


def message(kind, body):
    return u8(kind) + vector(3, body)


def body_of(made):
    return made[4:]


def extension(number, content=b""):
    return u16(number) + vector(2, content)


def server_hello(random, session_id, suite, extensions, version=0x0303, compression=0):
    made = u16(version) + random + vector(1, session_id) + u16(suite) + u8(compression)
    return message(SERVER_HELLO, made + (b"" if extensions is None else vector(2, extensions)))


def split_server_hello(made):
    """(what is before the extensions' length, the extensions)"""
    at = 4 + 2 + 32 + 1 + made[4 + 34] + 3
    return made[4:at], made[at + 2:]


def certificate_13(ders, context=b"", extensions=b""):
    entries = b"".join(vector(3, der) + vector(2, extensions if i == 0 else b"")
                       for i, der in enumerate(ders))
    return message(CERTIFICATE, vector(1, context) + vector(3, entries))


def certificate_12(ders):
    return message(CERTIFICATE, vector(3, b"".join(vector(3, der) for der in ders)))


def ticket_13(lifetime=7200, nonce=b"\0", ticket=b"t" * 32, extensions=b""):
    return message(NEW_SESSION_TICKET, struct.pack("!II", lifetime, 0x01020304) + vector(1, nonce) +
                   vector(2, ticket) + vector(2, extensions))


class ClientHello:
    def __init__(self, made):
        self.message, self.version, self.random = made, made[4:6], made[6:38]
        at = 38
        self.session_id = made[at + 1:at + 1 + made[at]]
        at += 1 + made[at]
        size, = struct.unpack_from("!H", made, at)
        self.suites = struct.unpack_from(f"!{size // 2}H", made, at + 2)
        at += 2 + size
        at += 1 + made[at]
        end = at + 2 + struct.unpack_from("!H", made, at)[0]
        at += 2
        self.extensions = {}
        while at < end:
            number, size = struct.unpack_from("!HH", made, at)
            self.extensions[number] = made[at + 4:at + 4 + size]
            at += 4 + size

    def shares(self):
        """group -> key share"""
        content, found = self.extensions[KEY_SHARE][2:], {}
        while content:
            group, size = struct.unpack_from("!HH", content)
            found[group], content = content[4:4 + size], content[4 + size:]
        return found

    def groups(self):
        content = self.extensions[SUPPORTED_GROUPS][2:]
        return struct.unpack(f"!{len(content) // 2}H", content)
