# SPDX-License-Identifier: MIT
"""TLS 1.3: records and what is in them after the handshake."""

from . import changes as do
from . import messages as m
from .conversation import DATA, Lie
from .records import header

_HAND, _APP = m.HANDSHAKE, m.APPLICATION_DATA


def _then(name, *actions, kind="tls_failed", **more):
    """After the answer."""
    return Lie("later-" + name, kind, after={"answer": do.in_turn(*actions)}, **more)


def _message(number, body=b""):
    return do.record(_HAND, m.message(number, body))


def _skipped(c):
    c.writing.sequence += 1


def _swapped(c):
    first, second = (c.writing.seal(_APP, b"x"), c.writing.seal(_APP, b"y"))
    c.send_raw(second + first)


def _pieces(size):
    """The answer in TCP segments of that size, record after record."""

    def instead(c):
        sealed = b"".join(c.writing.seal(_APP, DATA[i:i + 1]) for i in range(len(DATA)))
        for at in range(0, len(sealed), size):
            c.send_raw(sealed[at:at + size])

    return instead


def _old_keys(c):
    old = c.writing
    c.update_keys()
    c.writing = old
    c.send_record(_APP, b"old")


def _updates(times, request=0):
    def do(c):
        for _ in range(times):
            c.update_keys(request)

    return do


def _updates_while_reading(c):
    """A KeyUpdate that asks for one, for each record that comes."""
    while len(c.received) < c.lie.upload:
        c.read_data()
        c.update_keys(request=1)


def _torn_update(c):
    for byte in m.message(m.KEY_UPDATE, b"\0"):
        c.send_record(_HAND, bytes([byte]))
    c.writing = c.writing.updated()


_TWO = {"delivered": DATA + b"more"}
_MORE = do.record(_APP, b"more")
_ASK = m.vector(1, b"ctx") + m.vector(2, m.extension(m.SIGNATURE_ALGORITHMS, b"\0\2\4\3"))

RECORDS = [
    _then("bad-tag", do.spoiled(-1)),
    _then("bad-ciphertext", do.spoiled(5)),
    _then("bad-length", do.spoiled(4), _MORE, do.record(_APP, bytes(300))),
    _then("sequence-skipped", _skipped, do.record(_APP, b"x")),
    _then("replayed", do.replayed, delivered=DATA + b"x"),
    _then("swapped", _swapped),
    _then("plaintext-data", do.raw(b"\x17\3\3\0\5plain")),
    _then("plaintext-longer", do.raw(b"\x17\3\3\0\x30" + b"p" * 48)),
    _then("plaintext-alert", do.raw(b"\x15\3\3\0\2\2\x28")),
    _then("plaintext-close-notify", do.raw(b"\x15\3\3\0\2\1\0")),
    _then("plaintext-handshake", do.raw(b"\x16\3\3\0\4\0\0\0\0")),
    _then("change-of-ciphers", do.raw(b"\x14\3\3\0\1\1")),
    _then("change-of-ciphers-encrypted", do.record(m.CHANGE_CIPHER_SPEC, b"\1")),
    _then("heartbeat", do.record(m.HEARTBEAT, b"\1\x40\0x")),
    _then("heartbeat-in-plaintext", do.raw(b"\x18\3\3\0\3\1\x40\0")),
    _then("type-0", do.record(0, b"x")),
    _then("type-99", do.record(99, b"x")),
    _then("outer-type-handshake", do.record(_APP, b"x", outer=_HAND)),
    _then("outer-type-unknown", do.record(_APP, b"x", outer=99)),
    _then("version-1.0", do.record(_APP, b"x", version=0x0301)),
    _then("version-5.5", do.record(_APP, b"x", version=0x0505)),
    _then("of-no-bytes", do.raw(header(_APP, 0))),
    _then("shorter-than-a-tag", do.raw(header(_APP, 15) + bytes(15))),
    _then("tag-alone", do.raw(header(_APP, 16) + bytes(16))),
    _then("padding-alone", do.record(None, b"", padding=100)),
    _then("nothing-inside", do.record(None, b"")),
    _then("16384-bytes", do.record(_APP, b"x" * 16384), kind="ok",
          delivered=DATA + b"x" * 16384),
    _then("16385-bytes", do.record(_APP, b"x" * 16385)),
    _then("padded-to-the-brim", do.record(_APP, b"x", padding=16383), kind="ok",
          delivered=DATA + b"x"),
    _then("padded-beyond-the-brim", do.record(_APP, b"x", padding=16384)),
    _then("claims-16640-and-lacks", do.raw(header(_APP, 16640) + bytes(16640))),
    _then("claims-16641", do.raw(header(_APP, 16641))),
    _then("claims-65535", do.raw(header(_APP, 65535))),
    _then("2000-empty-ones", do.record(_APP, b"", times=2000), _MORE, kind="ok", **_TWO),
    _then("2000-padded-empty-ones", do.record(_APP, b"", times=2000, padding=1000), _MORE,
          kind="ok", **_TWO),
    _then("2000-of-one-byte", do.record(_APP, b"x", times=2000), kind="ok",
          delivered=DATA + b"x" * 2000),
    _then("http", do.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    Lie("later-byte-by-byte", "ok", instead={"answer": _pieces(1)}, delivered=DATA),
    Lie("later-in-segments-of-3", "ok", instead={"answer": _pieces(3)}, delivered=DATA),
]

MESSAGES = [
    _then("key-update", _updates(1), _MORE, kind="ok", **_TWO),
    _then("key-update-asked", _updates(1, request=1), _MORE, kind="ok", **_TWO),
    _then("key-update-1000-times", _updates(1000), _MORE, kind="ok", **_TWO),
    _then("key-update-1000-times-asked", _updates(1000, request=1), _MORE, kind="ok", **_TWO),
    _then("key-update-without-end", _updates(27000)),
    _then("key-update-torn", _torn_update, _MORE, kind="ok", **_TWO),
    _then("key-update-with-old-keys", _old_keys),
    _then("key-update-of-kind-2", _message(m.KEY_UPDATE, b"\2")),
    _then("key-update-empty", _message(m.KEY_UPDATE)),
    _then("key-update-of-two-bytes", _message(m.KEY_UPDATE, b"\0\0")),
    _then("key-update-with-more-behind", do.record(
        _HAND, m.message(m.KEY_UPDATE, b"\0") + m.ticket_13())),
    _then("key-update-twice-in-one-record", do.record(
        _HAND, m.message(m.KEY_UPDATE, b"\0") * 2)),
    _then("key-update-in-plaintext", do.raw(b"\x16\3\3\0\5" + m.message(m.KEY_UPDATE, b"\0"))),
    Lie("later-key-updates-while-we-write", "ok", upload=1 << 20,
        before={"request": _updates_while_reading}),
    _then("ticket", do.record(_HAND, m.ticket_13()), _MORE, kind="ok", **_TWO),
    _then("ticket-lifetime-0", do.record(_HAND, m.ticket_13(lifetime=0)), _MORE, kind="ok", **_TWO),
    _then("ticket-lifetime-forever", do.record(_HAND, m.ticket_13(lifetime=0xffffffff)), _MORE,
          kind="ok", **_TWO),
    _then("ticket-500-times", do.record(_HAND, m.ticket_13(), times=500), _MORE, kind="ok", **_TWO),
    _then("ticket-of-60-kb", lambda c: c.send_message(m.ticket_13(ticket=bytes(60000))), _MORE,
          kind="ok", **_TWO),
    _then("ticket-empty", do.record(_HAND, m.ticket_13(ticket=b"")), _MORE, kind="ok", **_TWO),
    _then("ticket-cut", do.record(_HAND, m.message(m.NEW_SESSION_TICKET, b"\0\0\x1c"))),
    _then("ticket-garbage", _message(m.NEW_SESSION_TICKET, b"\xff" * 40)),
    _then("ticket-unknown-extension", do.record(
        _HAND, m.ticket_13(extensions=m.extension(0xfafa, b"x"))), _MORE, kind="ok", **_TWO),
    _then("ticket-extension-overrun", do.record(
        _HAND, m.ticket_13(extensions=b"\xfa\xfa\xff\xff"))),
    _then("ticket-claims-16-mib", do.record(_HAND, b"\4\xff\xff\xff" + bytes(100))),
    _then("ticket-torn-by-data", do.record(_HAND, m.ticket_13()[:9]), _MORE),
    _then("asks-for-a-certificate", _message(m.CERTIFICATE_REQUEST, _ASK)),
    _then("client-hello", _message(m.CLIENT_HELLO, bytes(50))),
    _then("server-hello", lambda c: c.send_message(c.server_hello())),
    _then("certificate", lambda c: c.send_message(c.certificate())),
    _then("finished-again", do.again("finished")),
    _then("hello-request", _message(m.HELLO_REQUEST)),
    _then("unknown-message", _message(99, b"x")),
    _then("message-of-no-bytes", do.record(_HAND, b"")),
    _then("message-cut-and-empty-ones", do.record(_HAND, b"\4\0"), do.record(_HAND, b"", times=5)),
]
