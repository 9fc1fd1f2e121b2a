# SPDX-License-Identifier: MIT
"""A scripted DNS server on loopback, UDP and TCP on one port."""

import ipaddress
import socket
import struct
import threading
import time
from typing import NamedTuple

from . import ports
from .wait import PATIENCE

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "AAAA": 28, "SRV": 33}
_TYPE_NAMES = {v: k for k, v in TYPES.items()}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}


class Query(NamedTuple):
    name: str
    type: str
    transport: str  # udp or tcp
    time: float  # monotonic


def _encode_name(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def _encode_data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "CNAME":
        return _encode_name(value)
    priority, weight, port, target = value
    return struct.pack("!HHH", priority, weight, port) + _encode_name(target)


def _parse(message):
    """(id, flags, name, type number, the question's bytes)"""
    number, flags, questions = struct.unpack_from("!HHH", message)
    assert questions == 1
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    kind, _ = struct.unpack_from("!HH", message, at + 1)
    return number, flags, ".".join(labels).lower(), kind, message[12:at + 5]


class DnsServer:
    """Answers what `set` says and NXDOMAIN to the rest; every method may be called at any time."""

    def __init__(self, host="127.0.0.1", port=0):
        self.queries = []
        self._answers, self._behaviour = {}, {}
        self._changed = threading.Condition()
        self._stopping = False
        self._host = host
        while True:
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._udp.bind((host, port))
            self._tcp = socket.socket()
            self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self._tcp.bind(self._udp.getsockname())
                break
            except OSError:
                self._udp.close()
                self._tcp.close()
                if port:
                    raise
        self._tcp.listen(64)
        self._threads = [threading.Thread(target=f, daemon=True)
                         for f in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    @property
    def address(self):
        return ports.show(self._host, self._udp.getsockname()[1])

    # What to answer.

    def set(self, name, kind, values, ttl=300):
        """values: addresses, one CNAME, or (priority, weight, port, target) for SRV."""
        with self._changed:
            self._behaviour.pop(name.lower(), None)
            self._answers[name.lower(), kind] = (ttl, list(values))

    def remove(self, name):
        with self._changed:
            self._behaviour.pop(name.lower(), None)
            for key in [k for k in self._answers if k[0] == name.lower()]:
                del self._answers[key]

    def fail(self, name, rcode="SERVFAIL", kind=None):
        """kind limits it to one type of question."""
        self._behave(name, kind, rcode)

    def silence(self, name, kind=None):
        """Questions for the name are never answered, until set, fail or remove."""
        self._behave(name, kind, "silence")

    def truncate(self, name, kind=None):
        """Over UDP the answer is empty and says so (TC); TCP gives it in full."""
        self._behave(name, kind, "truncate")

    def delay(self, name, seconds, kind=None):
        self._behave(name, kind, seconds)

    def _behave(self, name, kind, what):
        with self._changed:
            self._behaviour[(name.lower(), kind) if kind else name.lower()] = what

    # What was asked.

    def count(self, name, kind=None):
        with self._changed:
            return self._count(name, kind)

    def _count(self, name, kind):
        return sum(q.name == name.lower() and kind in (None, q.type) for q in self.queries)

    def wait_for_query(self, name, kind=None, count=1, timeout=PATIENCE):
        with self._changed:
            assert self._changed.wait_for(lambda: self._count(name, kind) >= count, timeout), \
                f"{name} {kind or ''}: {self._count(name, kind)} questions came, not {count}"

    # How.

    def _reply(self, message, transport):
        number, flags, name, kind_number, question = _parse(message)
        kind = _TYPE_NAMES.get(kind_number, str(kind_number))
        with self._changed:
            self.queries.append(Query(name, kind, transport, time.monotonic()))
            self._changed.notify_all()
            behaviour = self._behaviour.get((name, kind), self._behaviour.get(name))
            answers, truncated, rcode = self._records(name, kind), False, 0
            exists = any(n == name for n, _ in self._answers)
        if behaviour == "silence":
            return None, 0
        delay = behaviour if isinstance(behaviour, (int, float)) else 0
        if behaviour in RCODES:
            answers, rcode = [], RCODES[behaviour]
        elif behaviour == "truncate" and transport == "udp":
            answers, truncated = [], True
        elif not answers and not exists:
            rcode = RCODES["NXDOMAIN"]
        flags = 0x8580 | (flags & 0x0100) | (0x0200 if truncated else 0) | rcode
        authority = b"" if answers or rcode not in (0, 3) else self._soa(name)
        header = struct.pack("!HHHHHH", number, flags, 1, len(answers), 1 if authority else 0, 0)
        return header + question + b"".join(answers) + authority, delay

    def _records(self, name, kind):
        records = []
        cname = self._answers.get((name, "CNAME"))
        if cname and kind != "CNAME":
            records.append(self._record(name, "CNAME", *cname))
            name = cname[1][0].lower()
        ttl, values = self._answers.get((name, kind), (0, []))
        records += [self._record(name, kind, ttl, [value]) for value in values]
        return records

    @staticmethod
    def _record(name, kind, ttl, values):
        data = _encode_data(kind, values[0])
        return _encode_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data

    @staticmethod
    def _soa(name):
        """So that caches of negative answers know how long: one second."""
        data = _encode_name("ns.test") + _encode_name("admin.test") + struct.pack(
            "!IIIII", 1, 60, 60, 60, 1)
        zone = name.split(".")[-1]
        return _encode_name(zone) + struct.pack("!HHIH", TYPES["SOA"], 1, 1, len(data)) + data

    def _later(self, delay, action):
        if not delay:
            return action()
        timer = threading.Timer(delay, action)
        timer.daemon = True
        timer.start()

    def _serve_udp(self):
        while True:
            try:
                message, sender = self._udp.recvfrom(4096)
            except OSError:
                return
            if self._stopping:
                return
            reply, delay = self._reply(message, "udp")
            if reply:
                self._later(delay, lambda r=reply, s=sender: self._send_udp(r, s))

    def _send_udp(self, reply, sender):
        try:
            self._udp.sendto(reply, sender)
        except OSError:
            pass  # the asker has gone

    def _serve_tcp(self):
        while True:
            try:
                sock, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_stream, args=(sock,), daemon=True).start()

    def _serve_stream(self, sock):
        with sock, sock.makefile("rb") as stream:
            sock.settimeout(PATIENCE)
            try:
                while head := stream.read(2):
                    message = stream.read(struct.unpack("!H", head)[0])
                    reply, _ = self._reply(message, "tcp")
                    if reply:
                        sock.sendall(struct.pack("!H", len(reply)) + reply)
            except OSError:
                pass  # the asker has gone

    def stop(self):
        self._stopping = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", self._udp.getsockname())
        try:
            self._tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for thread in self._threads:
            thread.join(PATIENCE)
        self._udp.close()
        self._tcp.close()
