# SPDX-License-Identifier: MIT
"""TLS 1.2."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import changes as do
from . import messages as m
from .conversation import DATA, Lie
from .records import header

_HAND, _APP, _CCS = m.HANDSHAKE, m.APPLICATION_DATA, b"\x14\3\3\0\1\1"
_ONLY_12 = {"tls": {"max_version": "1.2"}}


def _altered(step, label):
    def row(name, spoil, kind="tls_failed", service=_ONLY_12, **more):
        return Lie(f"{label}-{name}", kind, alter={step: spoil}, service=service, **more)

    return row


_hello = _altered("server_hello", "hello")
_certificate = _altered("certificate", "certificate")
_exchange = _altered("server_key_exchange", "exchange")
_done = _altered("server_hello_done", "done")
_finished = _altered("finished", "finished")


def _lie(name, kind="tls_failed", **more):
    return Lie(name, kind, service=_ONLY_12, **more)


def _then(name, *actions, kind="tls_failed", **more):
    return _lie("later-" + name, kind, after={"answer": do.in_turn(*actions)}, **more)


def _field(**fields):
    def spoil(c, made):
        how = {"random": c.random, "session_id": c.session_id, "suite": c.suite,
               "extensions": c.server_hello_extensions(), **fields}
        return m.server_hello(**how)

    return spoil


def _downgraded(mark):
    """The random that a server shows which could do better (RFC 8446 section 4.1.3)."""

    def spoil(c, made):
        c.random = c.random[:24] + b"DOWNGRD" + mark
        return c.server_hello()

    return spoil


def _parameters(content):
    return lambda c, made: c.server_key_exchange(parameters=content)


def _p256():
    return ec.generate_private_key(ec.SECP256R1())


def _curve(number, point):
    return _parameters(b"\3" + m.u16(number) + m.vector(1, point))


def _chain(change):
    return lambda c, made: m.certificate_12(change(c.chain()))


_MORE, _TWO = do.record(_APP, b"more"), {"delivered": DATA + b"more"}
_COMPRESSED = _p256().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

HANDSHAKE_12 = [
    _hello("downgraded-from-1.3", _downgraded(b"\1"), service={}),
    _hello("downgraded-to-1.1", _downgraded(b"\0"), service={}, kind="ok"),
    _hello("version-1.1", _field(version=0x0302), kind="tls_version"),
    _hello("version-1.0", _field(version=0x0301), kind="tls_version"),
    _hello("version-ssl3", _field(version=0x0300), kind="tls_version"),
    _hello("version-1.3", _field(version=0x0304), kind="tls_version"),
    _hello("version-9.9", _field(version=0x0909), kind="tls_version"),
    _hello("session-id-too-long", _field(session_id=bytes(33))),
    _hello("suite-not-offered", _field(suite=0xc00a)),
    _hello("suite-rsa", _field(suite=0x009c)),
    _hello("suite-of-1.3", _field(suite=0x1301)),
    _hello("suite-null", _field(suite=0xc006)),
    _hello("suite-anonymous", _field(suite=0xc018)),
    _hello("suite-export", _field(suite=0x0003)),
    _hello("suite-fallback", _field(suite=0x5600)),
    _hello("compression", _field(compression=1)),
    _hello("unknown-extension", do.extra(0xfafa, b"x"), kind="ok"),
    _hello("alpn-not-offered", do.extra(m.ALPN, b"\0\3\2h2")),
    _hello("sct-garbage", do.extra(m.SCT, b"garbage"), kind="ok"),
    _hello("renegotiated", lambda c, made: do.extensions(
        m.extension(m.RENEGOTIATION_INFO, m.vector(1, bytes(12))))(c, made)),
    _hello("renegotiation-info-twice", do.extra(m.RENEGOTIATION_INFO, b"\0"), kind="ok"),
    _hello("point-formats-garbage", do.extra(m.EC_POINT_FORMATS, b"\xff")),
    _hello("extensions-overrun", lambda c, made: made[:-4]),
    _hello("empty", do.body(b"")),
    _hello("trailing-bytes", do.body(lambda b: b + b"more")),
    _lie("hello-twice", after={"server_hello": do.again("server_hello")}),
    _certificate("list-empty", lambda c, made: m.certificate_12([])),
    _certificate("garbage", _chain(lambda chain: [b"\x30\x82\1\0" + bytes(256)])),
    _certificate("of-no-bytes", _chain(lambda chain: [b""])),
    _certificate("cut", _chain(lambda chain: [chain[0][:-1]])),
    _certificate("100-links", _chain(lambda chain: [chain[0], *[chain[1]] * 99]),
                 kind="cert_untrusted"),
    _certificate("1-mib", _chain(lambda chain: [chain[0], *[chain[1]] * (
        (1 << 20) // (len(chain[1]) + 3))])),
    _certificate("overrun", do.body(b"\xff\xff\xff")),
    _certificate("of-one-byte", do.body(b"\0")),
    _lie("certificate-of-a-stranger", "cert_untrusted", identity=lambda pki: pki.untrusted),
    _lie("certificate-twice", after={"certificate": do.again("certificate")}),
    _lie("certificate-left-out", instead={"certificate": do.nothing}),
    _lie("status-not-promised", after={
        "certificate": do.hidden(m.CERTIFICATE_STATUS, b"\1\0\0\4abcd")}),
    _exchange("signature-broken", do.flipped(-1)),
    _exchange("signature-by-another-key", lambda c, made: c.server_key_exchange(key=_p256())),
    _exchange("of-other-randoms", lambda c, made: c.server_key_exchange(signed=bytes(100))),
    _exchange("scheme-unknown", lambda c, made: c.server_key_exchange(scheme=0xfefe)),
    _exchange("scheme-sha1", lambda c, made: c.server_key_exchange(scheme=0x0203)),
    _exchange("scheme-rsa", lambda c, made: c.server_key_exchange(scheme=0x0401)),
    _exchange("scheme-md5", lambda c, made: c.server_key_exchange(scheme=0x0103)),
    _exchange("explicit-prime", _parameters(b"\1" + m.vector(1, b"\x17"))),
    _exchange("explicit-char2", _parameters(b"\2" + bytes(20))),
    _exchange("curve-not-offered", _curve(0x0013, b"\4" + bytes(48))),
    _exchange("curve-unknown", _curve(0x7777, bytes(32))),
    _exchange("point-empty", _curve(m.X25519, b"")),
    _exchange("point-short", _curve(m.X25519, bytes(31))),
    _exchange("point-of-low-order", _curve(m.X25519, bytes(32))),
    _exchange("point-not-on-the-curve", _curve(m.P256, b"\4" + bytes(63) + b"\1")),
    _exchange("point-compressed", _curve(m.P256, _COMPRESSED)),
    _exchange("empty", do.body(b"")),
    _exchange("of-one-byte", do.body(b"\3")),
    _exchange("overrun", do.body(b"\3\0\x1d\xffab")),
    _exchange("trailing-bytes", do.body(lambda b: b + b"more")),
    _exchange("as-unknown", do.kind(99)),
    _lie("exchange-left-out", instead={"server_key_exchange": do.nothing}),
    _lie("exchange-twice", after={"server_key_exchange": do.again("server_key_exchange")}),
    _done("with-a-body", do.body(b"x")),
    _done("claims-16-mib", do.claimed_size(lambda size: 0xffffff),
          after={"server_hello_done": do.record(_HAND, bytes(16384), times=200)}),
    _lie("done-twice", after={"server_hello_done": do.again("server_hello_done")}),
    _lie("done-left-out", "tls_closed", instead={"server_hello_done": do.fin}),
    _lie("change-of-ciphers-before-the-exchange", before={"server_key_exchange": do.raw(_CCS)}),
    _lie("change-of-ciphers-before-done", before={"server_hello_done": do.raw(_CCS)}),
    _lie("change-of-ciphers-twice", after={"change_cipher_spec": do.raw(_CCS)}),
    _lie("change-of-ciphers-twice-garbage", before={
        "change_cipher_spec": do.raw(b"\x14\3\3\0\1\7")}),
    _lie("change-of-ciphers-left-out", instead={"change_cipher_spec": do.nothing}),
    _finished("broken", do.flipped(-1)),
    _finished("short", do.body(lambda b: b[:-1])),
    _finished("long", do.body(lambda b: b + b"\0")),
    _finished("empty", do.body(b"")),
    _lie("finished-in-plaintext", instead={
        "finished": do.in_turn(do.unprotected(do.again("finished")), do.silence)}),
    _lie("data-before-finished", before={"finished": do.record(_APP, b"early")}),
    _lie("data-in-plaintext-in-the-flight",
         before={"server_key_exchange": do.record(_APP, b"early")}),
    _lie("ticket-not-promised", before={
        "change_cipher_spec": do.hidden(m.NEW_SESSION_TICKET, bytes(6) + b"")}),
    _lie("hello-request-in-the-flight",
         before={"server_key_exchange": do.record(_HAND, m.message(m.HELLO_REQUEST, b""))}),
]

LATER_12 = [
    _then("bad-tag", do.spoiled(-1)),
    _then("bad-nonce", do.spoiled(6)),
    _then("replayed", do.replayed, delivered=DATA + b"x"),
    _then("plaintext-data", do.raw(b"\x17\3\3\0\x30" + b"p" * 48)),
    _then("plaintext-close-notify", do.raw(b"\x15\3\3\0\2\1\0")),
    _then("shorter-than-a-tag", do.raw(header(_APP, 20) + bytes(20))),
    _then("of-no-bytes", do.raw(header(_APP, 0))),
    _then("16384-bytes", do.record(_APP, b"x" * 16384), kind="ok", delivered=DATA + b"x" * 16384),
    _then("16385-bytes", do.record(_APP, b"x" * 16385)),
    _then("version-1.1", do.record(_APP, b"x", version=0x0302)),
    _then("type-99", do.record(99, b"x")),
    _then("change-of-ciphers", do.raw(_CCS)),
    _then("change-of-ciphers-encrypted", do.record(m.CHANGE_CIPHER_SPEC, b"\1")),
    _then("heartbeat", do.record(m.HEARTBEAT, b"\1\xff\xffx")),
    _then("2000-empty-ones", do.record(_APP, b"", times=2000), _MORE, kind="ok", **_TWO),
    _then("hello-request", do.record(_HAND, bytes(4)), _MORE, kind="ok", **_TWO),
    _then("hello-request-100-times", do.record(_HAND, bytes(4), times=100), _MORE, kind="ok",
          **_TWO),
    _then("hello-request-without-end", do.record(_HAND, bytes(16384), times=10)),
    _then("hello-request-with-a-body", do.record(_HAND, m.message(m.HELLO_REQUEST, b"x"))),
    _then("server-hello", lambda c: c.send_message(c.server_hello())),
    _then("finished-again", do.again("finished")),
    _then("key-update", do.record(_HAND, m.message(m.KEY_UPDATE, b"\0"))),
    _then("ticket-late", do.record(_HAND, m.message(m.NEW_SESSION_TICKET, bytes(6)))),
    _then("message-of-no-bytes", do.record(_HAND, b"")),
]
