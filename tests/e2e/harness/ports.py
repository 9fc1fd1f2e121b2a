# SPDX-License-Identifier: MIT
"""Loopback addresses: parsing, and ports for servers that cannot tell which one they took."""

import errno
import random
import socket

_CHANCE = random.SystemRandom()  # test processes beside one another take different ones


def parse(address):
    """'127.0.0.1:389' or '[::1]:389' as (host, port); a path stays a path."""
    if address.startswith("/"):
        return address
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def show(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _first_ephemeral():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        return int(file.read().split()[0])


def free_port(host="127.0.0.1"):
    """A port that was free a moment ago. It is none of those that the kernel gives to clients: of
    thousands of connections, one would have it in the next moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    end = _first_ephemeral()
    if end < 20_000:  # a machine that gives nearly all of them to clients
        end = 65_536
    while True:
        port = _CHANCE.randrange(10_000, end)
        with socket.socket(family, socket.SOCK_STREAM) as s:
            try:
                s.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
        return port


def listen_on_localhost():
    """Listening sockets at one port of 127.0.0.1 and, where there is IPv6, of ::1."""
    while True:
        v4 = socket.create_server(("127.0.0.1", 0))
        if not ipv6_works():
            return [v4]
        try:
            return [v4, socket.create_server(("::1", v4.getsockname()[1]), family=socket.AF_INET6)]
        except OSError:  # somebody else has that port of ::1
            v4.close()


def is_open(host, port):
    try:
        socket.create_connection((host, port), timeout=5).close()
        return True
    except OSError:
        return False


def ipv6_works():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False
