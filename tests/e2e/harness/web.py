# SPDX-License-Identifier: MIT
"""A client of the `status` address: requests as a monitor makes them, and as nobody should."""

import json
import socket
from typing import NamedTuple

from . import ports
from .wait import PATIENCE


class Answer(NamedTuple):
    status: int
    headers: dict
    body: str

    def json(self):
        return json.loads(self.body)


def connect(address):
    where = ports.parse(address)
    sock = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    sock.settimeout(PATIENCE)
    sock.connect(where)
    return sock


def exchange(address, request):
    """Sends bytes as they are; what comes back until the end, or None if nothing does."""
    with connect(address) as sock:
        received = b""
        try:
            sock.sendall(request)
            while piece := sock.recv(1 << 16):
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return parse(received) if received else None


def parse(received):
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body.decode())


def get(address, path, method="GET", host="localhost", **headers):
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return exchange(address, ("\r\n".join(lines) + "\r\n\r\n").encode())


def address_of(tunnel):
    """Where the tunnel has served its status since the last change of that."""
    return [e["address"] for e in tunnel.log.find("listening") if "serving status" in e["msg"]][-1]
