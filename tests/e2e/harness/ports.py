# SPDX-License-Identifier: MIT
"""Loopback addresses: parsing, and ports for servers that cannot tell which one they took."""

import socket


def parse(address):
    """'127.0.0.1:389' or '[::1]:389' as (host, port); a path stays a path."""
    if address.startswith("/"):
        return address
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def show(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def free_port(host="127.0.0.1"):
    """A port that was free a moment ago. Whoever uses it must be ready to try another one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


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
