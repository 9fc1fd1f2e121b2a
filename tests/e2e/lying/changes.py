# SPDX-License-Identifier: MIT
"""Small words of which the tables are made: what to do, and how to spoil a message."""

from . import messages as m
from .conversation import Ended

# ---- what to do: f(conversation)


def raw(data):
    return lambda c: c.send_raw(data)


def record(kind, payload=b"", times=1, **how):
    """Under the keys of that moment, if there are any."""

    def do(c):
        for _ in range(times):
            c.send_record(kind, payload, **how)

    return do


def hidden(kind, body=b""):
    """A handshake message that the other side's transcript will have, too."""
    return lambda c: c.send_message(m.message(kind, body))


def again(step):
    return lambda c: c.send_message(getattr(c, step)())


def alert(description, level=2):
    return lambda c: c.send_alert(description, level)


def nothing(c):
    pass


def fin(c):
    c.fin()


def reset(c):
    c.reset()


def silence(c):
    raise Ended


def in_turn(*actions):
    def do(c):
        for action in actions:
            action(c)

    return do


def unprotected(action):
    """As if there were no keys yet."""

    def do(c):
        from .records import Plain
        keys, c.writing = c.writing, Plain()
        action(c)
        c.writing = keys

    return do


# ---- how to spoil a message: f(conversation, message)

def body(change):
    """`change`: bytes, or f(body)."""
    return lambda c, made: m.message(made[0], change(made[4:]) if callable(change) else change)


def kind(number):
    return lambda c, made: m.u8(number) + made[1:]


def claimed_size(change):
    return lambda c, made: made[:1] + m.u24(change(len(made) - 4)) + made[4:]


def flipped(at):
    """One bit of the byte at that place, which may be counted from the end."""

    def spoil(c, made):
        out = bytearray(made)
        out[at] ^= 1
        return bytes(out)

    return spoil


def extra(number, content=b""):
    """A ServerHello or EncryptedExtensions with one extension more."""

    def spoil(c, made):
        if made[0] == m.SERVER_HELLO:
            above, extensions = m.split_server_hello(made)
        else:
            above, extensions = b"", made[6:]
        return m.message(made[0], above + m.vector(2, extensions + m.extension(number, content)))

    return spoil


def extensions(content):
    """A ServerHello with other extensions; None: without the list. `content`: bytes, or
    f(conversation)."""

    def spoil(c, made):
        new = content(c) if callable(content) else content
        above = m.split_server_hello(made)[0]
        return m.message(made[0], above + (b"" if new is None else m.vector(2, new)))

    return spoil


def spoiled(at):
    """A record of data with one octet changed after it was sealed."""

    def send(c):
        sealed = bytearray(c.writing.seal(m.APPLICATION_DATA, b"spoiled"))
        sealed[at] ^= 1
        c.send_raw(bytes(sealed))

    return send


def replayed(c):
    """The same record of data twice."""
    sealed = c.writing.seal(m.APPLICATION_DATA, b"x")
    c.send_raw(sealed + sealed)
