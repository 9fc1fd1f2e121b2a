# SPDX-License-Identifier: MIT
"""One connection of a server that plays the honest conversation of its version step by step, except
where its lie says otherwise."""

import dataclasses
import socket
import struct
from typing import Callable

from cryptography.hazmat.primitives.serialization import Encoding

from . import records
from .messages import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE

DATA = b"what the server has to say"
REQUEST = b"go"


@dataclasses.dataclass(frozen=True)
class Lie:
    """`alter`: step -> f(conversation, message), what is sent instead of that message.
    `before`, `after`, `instead`: step -> f(conversation), what is done then.
    `kind` is what the log must say; `delivered` what the client must have got by then."""

    name: str
    kind: str
    alter: dict = dataclasses.field(default_factory=dict)
    before: dict = dataclasses.field(default_factory=dict)
    after: dict = dataclasses.field(default_factory=dict)
    instead: dict = dataclasses.field(default_factory=dict)
    delivered: bytes | None = None
    identity: Callable | None = None  # of the Pki; default an ECDSA certificate
    service: dict = dataclasses.field(default_factory=dict)  # keys of the service
    cut: tuple | None = None  # (after so many bytes, f(conversation))
    upload: int = 0  # that much of the client's data must arrive, and nothing else

    def expected(self):
        if self.delivered is not None:
            return self.delivered
        return DATA if self.is_told_later() else b""

    def is_told_later(self):
        """Not in the handshake, or the handshake is good all the same."""
        return self.kind == "ok" or bool(
            {"answer", "end"} & {*self.alter, *self.before, *self.after, *self.instead})


class Ended(Exception):
    """The client has ended the connection, or what it says cannot be read: nothing more to say."""


class Conversation:
    STEPS = ()
    PLAIN_VERSION = 0x0303

    def __init__(self, sock, identity, lie):
        self.sock, self.identity, self.lie = sock, identity, lie
        self.reading, self.writing = records.Plain(), records.Plain()
        self.transcript, self._waiting, self._input = b"", b"", b""
        self.received, self.alerts, self._sent = b"", [], 0
        self.hello = None

    # ---- the play

    def play(self):
        """True when the client ended in order after all of it, which only truth gets."""
        try:
            for step in self.STEPS:
                for moment in (self.lie.before, self.lie.instead, self.lie.after):
                    if step in moment:
                        moment[step](self)
                    elif moment is self.lie.instead:
                        getattr(self, "do_" + step, lambda step=step: self.say(step))()
            return True
        except (Ended, OSError, records.NotGenuine):
            self._drain()
            return False

    def say(self, step):
        """The message of that step, honest or altered."""
        self.send_message(self._made(step))
        getattr(self, "after_" + step, lambda: None)()

    def _made(self, step):
        made = getattr(self, step)()
        return self.lie.alter[step](self, made) if step in self.lie.alter else made

    def _drain(self):
        """No FIN of ours may stand for something else."""
        try:
            while self.sock.recv(1 << 16):
                pass
        except OSError:
            pass

    # ---- what both versions do alike

    def chain(self):
        return [c.public_bytes(Encoding.DER) for c in self.identity.chain]

    def do_request(self):
        while len(self.received) < max(len(REQUEST), self.lie.upload):
            self.read_data()

    def do_answer(self):
        self.send_record(APPLICATION_DATA, DATA)

    def do_end(self):
        self.send_alert(0, level=1)
        self._drain()

    # ---- writing

    def send_raw(self, data):
        if self.lie.cut and self._sent + len(data) > self.lie.cut[0]:
            self.sock.sendall(data[:self.lie.cut[0] - self._sent])
            self.lie.cut[1](self)
        self._sent += len(data)
        self.sock.sendall(data)

    def send_record(self, kind, payload, **how):
        self.send_raw(self.writing.seal(kind, payload, **how))

    def send_message(self, made):
        self.transcript += made
        for at in range(0, len(made), 16384):
            self.send_record(HANDSHAKE, made[at:at + 16384])

    def send_alert(self, description, level=2):
        self.send_record(ALERT, bytes([level, description]))

    def fin(self):
        self.sock.shutdown(socket.SHUT_WR)
        raise Ended

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Ended

    # ---- reading

    def _exactly(self, size):
        while len(self._input) < size:
            data = self.sock.recv(1 << 16)
            if not data:
                raise Ended
            self._input += data
        taken, self._input = self._input[:size], self._input[size:]
        return taken

    def read_record(self):
        """(kind, payload) of the next that is not TLS 1.3's empty ChangeCipherSpec."""
        above = self._exactly(5)
        body = self._exactly(struct.unpack("!H", above[3:])[0])
        kind, payload = self.reading.open(above[0], body)
        if kind == ALERT:
            self.alerts.append(payload[1])
            if payload[1] != 0:
                raise Ended
        return kind, payload

    def read_message(self):
        while len(self._waiting) < 4 or len(self._waiting) < self._wanted():
            kind, payload = self.read_record()
            if kind == HANDSHAKE:
                self._waiting += payload
            elif kind != CHANGE_CIPHER_SPEC:
                raise Ended
        size = self._wanted()
        made, self._waiting = self._waiting[:size], self._waiting[size:]
        self.transcript += made
        return made

    def _wanted(self):
        return 4 + int.from_bytes(self._waiting[1:4], "big")
