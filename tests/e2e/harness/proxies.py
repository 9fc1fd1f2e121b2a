# SPDX-License-Identifier: MIT
"""Proxies that know where every name leads, and write down what they were asked."""

import base64
import socket
import threading

from .peer import Peer
from .ports import parse
from .server import Server


class Proxy(Server):
    """`routes` maps "host:port", as the client says it, to the address it leads to."""

    def __init__(self, routes, login=None, **kwargs):
        self.routes, self.login = routes, login
        self.asked, self.heads = [], []
        super().__init__(self._serve_client, **kwargs)

    def _serve_client(self, peer):
        destination = self.negotiate(peer)
        if destination:
            with Peer.connect(destination) as target:
                join(peer, target)


class HttpProxy(Proxy):
    """CONNECT, with Basic authentication if there is a login ("user:password")."""

    def negotiate(self, peer):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.recv_exact(1)
        self.heads.append(head)
        request, *fields = head.decode().split("\r\n")
        method, where, version = request.split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        assert f"Host: {where}" in fields
        self.asked.append(where)
        if self.login:
            wanted = base64.b64encode(self.login.encode()).decode()
            given = [f.removeprefix("Proxy-Authorization: ") for f in fields]
            # The scheme is in any case (RFC 9110, section 11.1).
            if not any(g[:6].lower() == "basic " and g[6:] == wanted for g in given):
                return self._refuse(peer, "407 Who Are You", "Proxy-Authenticate: Basic\r\n")
        if where not in self.routes:
            return self._refuse(peer, "403 Not That One")
        peer.send(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n")
        return self.routes[where]

    @staticmethod
    def _refuse(peer, status, fields=""):
        peer.send(f"HTTP/1.1 {status}\r\n{fields}Content-Length: 2\r\n\r\nno".encode())
        peer.read_to_end()


class Socks5Proxy(Proxy):
    """RFC 1928, with user and password (RFC 1929) if there is a login. `reply` refuses everything."""

    def __init__(self, routes, login=None, reply=0, **kwargs):
        self.reply = reply
        super().__init__(routes, login, **kwargs)

    def negotiate(self, peer):
        version, count = peer.recv_exact(2)
        assert version == 5
        methods = peer.recv_exact(count)
        wanted = 2 if self.login else 0
        if wanted not in methods:
            peer.send(b"\x05\xff")
            return peer.read_to_end() and None
        peer.send(bytes([5, wanted]))
        if self.login:
            assert peer.recv_exact(1) == b"\x01"
            user = peer.recv_exact(peer.recv_exact(1)[0])
            password = peer.recv_exact(peer.recv_exact(1)[0])
            is_right = user + b":" + password == self.login.encode()
            peer.send(b"\x01\x00" if is_right else b"\x01\x01")
            if not is_right:
                return peer.read_to_end() and None
        assert peer.recv_exact(3) == b"\x05\x01\x00"
        self.asked.append(self._destination(peer))
        if self.reply:
            peer.send(bytes([5, self.reply, 0, 1]) + bytes(6))
            return peer.read_to_end() and None
        peer.send(b"\x05\x00\x00\x01" + bytes(6))
        return self.routes[self.asked[-1]]

    @staticmethod
    def _destination(peer):
        form = peer.recv_exact(1)[0]
        if form == 3:
            host = peer.recv_exact(peer.recv_exact(1)[0]).decode()
        else:
            host = (socket.inet_ntop(socket.AF_INET, peer.recv_exact(4)) if form == 1 else
                    f"[{socket.inet_ntop(socket.AF_INET6, peer.recv_exact(16))}]")
        return f"{host}:{int.from_bytes(peer.recv_exact(2), 'big')}"


def join(one, other):
    """Carries bytes and ends both ways until both directions are over."""

    def carry(source, sink):
        try:
            while data := source.recv():
                sink.send(data)
            sink.half_close()
        except OSError:
            for peer in (source, sink):
                try:
                    peer.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join()


def read_proxy_header(peer):
    """The PROXY protocol's header, of either version, as bytes; nothing behind it is read."""
    head = peer.recv_exact(12)
    if head == b"\r\n\r\n\0\r\nQUIT\n":
        head += peer.recv_exact(4)
        return head + peer.recv_exact(int.from_bytes(head[14:], "big"))
    while not head.endswith(b"\r\n"):
        head += peer.recv_exact(1)
    return head


def expected_header(version, client, accepted):
    """What the header must be for two addresses of IPv4, or of IPv6."""
    (from_host, from_port), (to_host, to_port) = parse(client), parse(accepted)
    is_v6 = ":" in from_host
    if version == "v1":
        return (f"PROXY {'TCP6' if is_v6 else 'TCP4'} {from_host} {to_host} {from_port} {to_port}"
                "\r\n").encode()
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    addresses = socket.inet_pton(family, from_host) + socket.inet_pton(family, to_host)
    addresses += from_port.to_bytes(2, "big") + to_port.to_bytes(2, "big")
    return (b"\r\n\r\n\0\r\nQUIT\n" + (b"\x21\x21" if is_v6 else b"\x21\x11") +
            len(addresses).to_bytes(2, "big") + addresses)
