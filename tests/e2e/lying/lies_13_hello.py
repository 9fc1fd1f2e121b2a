# SPDX-License-Identifier: MIT
"""TLS 1.3: ServerHello, HelloRetryRequest, and what is around them."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.tunnel import gnutls_version
from harness.wait import SANITIZED

from . import changes as do
from . import messages as m
from .conversation import Lie

_VERSION = m.extension(m.SUPPORTED_VERSIONS, b"\3\4")


def _hello(name, spoil, kind="tls_failed"):
    return Lie("hello-" + name, kind, alter={"server_hello": spoil})


def _share(group, content):
    """ServerHello with that key share."""
    return do.extensions(_VERSION + m.extension(m.KEY_SHARE, m.u16(group) + m.vector(2, content)))


def _version(number):
    return do.extensions(lambda c: c.server_hello_extensions().replace(
        _VERSION, m.extension(m.SUPPORTED_VERSIONS, m.u16(number))))


def _field(**fields):
    """ServerHello with other fields."""

    def spoil(c, made):
        how = {"random": c.random, "session_id": c.hello.session_id, "suite": c.suite,
               "extensions": c.server_hello_extensions(), **fields}
        return m.server_hello(**how)

    return spoil


def _retry(extensions, suite=0x1301, **fields):
    """A HelloRetryRequest. The first hello counts as its hash from then on (section 4.4.1)."""

    def do(c):
        if c.transcript[0] == m.CLIENT_HELLO:
            c.transcript = m.message(254, hashlib.sha256(c.transcript).digest())
        c.send_message(m.server_hello(m.RETRY_RANDOM, c.hello.session_id, suite,
                                      _VERSION + extensions, **fields))

    return do


def _asks_for(group):
    return m.extension(m.KEY_SHARE, m.u16(group))


def _retried(name, *actions, kind="tls_failed"):
    """Before the ServerHello."""
    return Lie("retry-" + name, kind, before={"server_hello": do.in_turn(*actions)})


def _cookie(content):
    return _retry(m.extension(m.COOKIE, m.vector(2, content)))


def _cookie_and_group(content):
    """Both come back, and the handshake goes on with that group."""

    def do(c):
        _retry(m.extension(m.COOKIE, m.vector(2, content)) + _asks_for(m.P384))(c)
        c.use_p384()
        c.do_hello()
        assert c.hello.extensions[m.COOKIE] == m.vector(2, content)

    return do


def _second_hello(c):
    c.do_hello()


_THEN_AGAIN = (_second_hello, _retry(_asks_for(m.P384)))


def _p384_share():
    return ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint)


def _torn(size):
    """The honest ServerHello in records of that size."""

    def instead(c):
        made = c.server_hello()
        c.transcript += made
        for at in range(0, len(made), size):
            c.send_record(m.HANDSHAKE, made[at:at + size])
        c.after_server_hello()

    return instead


def _together_with_the_next(c):
    """The next message comes before the change of keys, and in the same record."""
    made = c.server_hello()
    c.transcript += made
    hello_alone = c.transcript
    more = c.encrypted_extensions()
    c.send_record(m.HANDSHAKE, made + more)
    c.after_server_hello()
    c.transcript = hello_alone + more


def _with_a_change_of_ciphers_inside(c):
    made = c.server_hello()
    c.transcript += made
    c.send_record(m.HANDSHAKE, made[:20])
    c.send_raw(b"\x14\x03\x03\0\1\1")
    c.send_record(m.HANDSHAKE, made[20:])
    c.after_server_hello()


HELLO = [
    _hello("legacy-version-1.0", _field(version=0x0301), kind="tls_version"),
    _hello("legacy-version-1.3", _field(version=0x0304), kind="tls_version"),
    _hello("legacy-version-ssl3", _field(version=0x0300), kind="tls_version"),
    _hello("version-1.4", _version(0x0305), kind="tls_version"),
    _hello("version-1.2-by-extension", _version(0x0303)),
    _hello("version-1.1-by-extension", _version(0x0302)),
    _hello("version-of-a-draft", _version(0x7f1c), kind="tls_version"),
    _hello("version-extension-of-one-byte", do.extensions(m.extension(43, b"\3"))),
    _hello("without-version", do.extensions(
        lambda c: c.server_hello_extensions()[len(_VERSION):])),
    _hello("session-id-too-long", _field(session_id=bytes(33))),
    _hello("suite-not-offered", _field(suite=0x1304)),
    _hello("suite-unknown", _field(suite=0xfefe)),
    _hello("suite-null", _field(suite=0)),
    _hello("compression", _field(compression=1)),
    _hello("server-name", do.extra(m.SERVER_NAME)),
    _hello("psk-none-offered", do.extra(m.PRE_SHARED_KEY, b"\0\0")),
    _hello("psk-none-offered-other", do.extra(m.PRE_SHARED_KEY, b"\0\7")),
    _hello("early-data", do.extra(m.EARLY_DATA)),
    _hello("cookie", do.extra(m.COOKIE, m.vector(2, b"c"))),
    _hello("without-share", do.extensions(_VERSION)),
    _hello("share-empty", _share(m.X25519, b"")),
    _hello("share-short", _share(m.X25519, bytes(31))),
    _hello("share-long", _share(m.X25519, bytes(33))),
    _hello("share-of-low-order", _share(m.X25519, bytes(32))),
    _hello("share-of-another-group", _share(m.P384, _p384_share())),
    _hello("share-unknown-group", _share(0x7777, bytes(32))),
    _hello("share-not-on-the-curve", _share(m.P256, b"\4" + bytes(63) + b"\1")),
    _hello("share-compressed-point", _share(m.P256, b"\2" + bytes(31) + b"\1")),
    _hello("share-at-infinity", _share(m.P256, b"\0")),
    _hello("share-huge", _share(m.X25519, bytes(60000))),
    _hello("no-extensions", do.extensions(None)),
    _hello("empty-extensions", do.extensions(b"")),
    _hello("extensions-overrun", lambda c, made: made[:-4]),
    _hello("extension-longer-than-the-list", do.extensions(
        lambda c: c.server_hello_extensions() + b"\xfa\xfa\xff\xff")),
    _hello("empty", do.body(b"")),
    _hello("one-byte", do.body(b"\3")),
    _hello("cut-in-the-random", do.body(lambda b: b[:20])),
    _hello("trailing-bytes", do.body(lambda b: b + b"more")),
    _hello("claims-16-mib", do.claimed_size(lambda size: 0xffffff)),
    _hello("claims-nothing", do.claimed_size(lambda size: 0)),
    _hello("as-a-client-hello", do.kind(m.CLIENT_HELLO)),
    _hello("as-a-finished", do.kind(m.FINISHED)),
    _hello("as-unknown", do.kind(99)),
    Lie("hello-twice", "tls_failed",
        after={"server_hello": do.unprotected(do.again("server_hello"))}),
    Lie("hello-skipped", "tls_failed", instead={"server_hello": do.in_turn(
        lambda c: c.send_message(c.encrypted_extensions()), do.silence)}),
    Lie("hello-with-a-change-of-ciphers-inside", "tls_failed",
        instead={"server_hello": _with_a_change_of_ciphers_inside}),
    Lie("hello-byte-by-byte", "ok", instead={"server_hello": _torn(1)}),
    Lie("hello-in-pieces-of-7", "ok", instead={"server_hello": _torn(7)}),
    Lie("hello-request-before", "tls_failed",
        before={"server_hello": do.record(m.HANDSHAKE, m.message(m.HELLO_REQUEST, b""))}),
]

RETRY = [
    _retried("for-another-group", _cookie_and_group(b"c"), kind="ok"),
    _retried("for-another-group-and-10-kb", _cookie_and_group(b"c" * 10000), kind="ok"),
    _retried("for-a-cookie-alone", _cookie(b"c"), _second_hello),
    _retried("without-end", _retry(_asks_for(m.P384)), *_THEN_AGAIN),
    _retried("to-another-group-each-time", _retry(_asks_for(m.P384)), _second_hello,
             _retry(_asks_for(25))),
    _retried("for-cookies-without-end", _cookie(b"c"), _second_hello, _cookie(b"d")),
    _retried("without-change", _retry(b"")),
    _retried("group-that-was-shared-again-and-again", _retry(_asks_for(m.X25519)), *_THEN_AGAIN),
    _retried("group-not-offered", _retry(_asks_for(0x0015))),
    _retried("unknown-group", _retry(_asks_for(0x7777))),
    _retried("empty-cookie", _cookie(b"")),
    _retried("overrun-cookie", _retry(m.extension(m.COOKIE, b"\xff\xffc"))),
    _retried("suite-not-offered", _retry(_asks_for(m.P384), suite=0xfefe)),
    _retried("compression", _retry(_asks_for(m.P384), compression=1)),
    _retried("then-another-suite", _retry(_asks_for(m.P384)), _second_hello,
             lambda c: c.send_message(m.server_hello(
                 c.random, c.hello.session_id, 0x1302, _VERSION + m.extension(
                     m.KEY_SHARE, m.u16(m.P384) + m.vector(2, _p384_share()))))),
    _retried("then-1.2", _retry(_asks_for(m.P384)), _second_hello,
             lambda c: c.send_message(m.server_hello(c.random, c.hello.session_id, 0xc02b, b""))),
]

# What GnuTLS lets pass although RFC 8446 asks clients to end the handshake. All of it is signed by
# the server, so nobody else can say it, and the connection is as safe without it.
OVERLOOKED = [
    _retried("then-the-first-group", _retry(_asks_for(m.P384)), _second_hello, kind="ok"),
    _hello("session-id-of-its-own", _field(session_id=bytes(32)), kind="ok"),
    _hello("no-session-id", _field(session_id=b""), kind="ok"),
    _hello("suite-of-1.2", _field(suite=0xc02b), kind="ok"),
    _hello("unknown-extension", do.extra(0xfafa, b"x"), kind="ok"),
    _hello("sct", do.extra(m.SCT, b"garbage"), kind="ok"),
    _hello("duplicate-version", do.extra(m.SUPPORTED_VERSIONS, b"\3\4"), kind="ok"),
    Lie("hello-together-with-the-next", "ok",
        instead={"server_hello": _together_with_the_next, "encrypted_extensions": do.nothing}),
]
if not SANITIZED:  # GnuTLS leaks 32 bytes over it, the first share
    OVERLOOKED.append(_hello("duplicate-share", lambda c, made: do.extra(
        m.KEY_SHARE, m.u16(c.group) + m.vector(2, c.share()))(c, made),
                             # A newer one takes the second share, which is not the first's.
                             kind="ok" if gnutls_version() < (3, 8) else "tls_failed"))
