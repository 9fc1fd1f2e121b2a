# SPDX-License-Identifier: MIT
"""One end of a TCP or unix connection, with the words that tests need: half-close, reset, ends.

The same class serves as the tunnel's client and, in scripts, as the server's side.
"""

import socket
import ssl
import struct
from typing import NamedTuple

from . import ports
from .wait import PATIENCE


class End(NamedTuple):
    """What arrived until the other side ended it, and how: eof, reset, or (TLS)
    close_notify or alert."""

    data: bytes
    how: str


class Peer:
    def __init__(self, sock):
        self.sock = sock
        self._was_reset = False
        if sock.family != socket.AF_UNIX:  # else small messages wait for delayed ACKs
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)

    @classmethod
    def connect(cls, address, source=None, receive_buffer=None, timeout=PATIENCE):
        """To '127.0.0.1:389', '[::1]:389' or '/path/of.sock'."""
        where = ports.parse(str(address))
        if isinstance(where, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if source:
                sock.bind((source, 0))
            peer = cls(sock)
            sock.settimeout(timeout)
            try:
                sock.connect(where)
            except ConnectionResetError:
                peer._was_reset = True  # it was up, but gone before connect() could say so
            sock.settimeout(PATIENCE)
            return peer
        except BaseException:
            sock.close()
            raise

    @property
    def local_address(self):
        name = self.sock.getsockname()
        return name if isinstance(name, str) else ports.show(*name[:2])

    def send(self, data):
        if self._was_reset:
            raise ConnectionResetError
        try:
            self.sock.sendall(data)
        except ConnectionResetError:
            self._was_reset = True  # reading would call it an orderly end from now on
            raise

    def recv(self, size=65536):
        if self._was_reset:
            return self._rest(size)
        return self.sock.recv(size)

    def _rest(self, size):
        """What came before a reset that connect() has already reported."""
        try:
            if data := self.sock.recv(size, socket.MSG_DONTWAIT):
                return data
        except OSError:
            pass
        raise ConnectionResetError

    def recv_exact(self, size):
        got = bytearray()
        while len(got) < size:
            piece = self.recv(min(size - len(got), 1 << 18))
            assert piece, f"the connection ended after {len(got)} of {size} bytes"
            got += piece
        return bytes(got)

    def read_to_end(self):
        got = bytearray()
        while True:
            try:
                piece = self.recv(1 << 18)
            except (ConnectionResetError, BrokenPipeError):
                return End(bytes(got), "reset")
            except ssl.SSLError:
                return End(bytes(got), "alert")
            if not piece:
                return End(bytes(got), self._how_it_ended())
            got += piece

    def _how_it_ended(self):
        return "eof"

    def expect_reset(self):
        """Asserts that the other side resets, and returns what came before."""
        end = self.read_to_end()
        assert end.how == "reset", f"expected a reset, got {end.how} after {end.data[:200]!r}"
        return end.data

    def expect_eof(self):
        end = self.read_to_end()
        assert end.how == "eof", f"expected an orderly end, got {end.how} after {end.data[:200]!r}"
        return end.data

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with an RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def fin(self):
        """Sends a bare FIN on the TCP connection, whatever the protocol above would do."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class TlsPeer(Peer):
    """The server's side of TLS over a socket that stays in our own hands.

    OpenSSL sees memory buffers only, so a script may reset, truncate or half-close the connection
    underneath at any byte.
    """

    def __init__(self, sock, context):
        super().__init__(sock)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._got_close_notify = False

    def _flush(self):
        data = self._out.read()
        if data:
            self.sock.sendall(data)

    def _fill(self):
        """False at the end of the TCP connection."""
        data = self.sock.recv(1 << 18)
        if data:
            self._in.write(data)
        return bool(data)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill():
                    raise ConnectionAbortedError("the client ended TCP during the handshake")
            except ssl.SSLError:
                self._flush()  # the alert
                raise

    def send(self, data):
        view = memoryview(data)
        while view:
            self.tls.write(view[:16384])  # at most one record
            view = view[16384:]
            if self._out.pending > 1 << 18:
                self._flush()
        self._flush()

    def recv(self, size=65536):
        while True:
            try:
                data = self.tls.read(size)
                if not data:
                    self._got_close_notify = True
                self._flush()
                return data
            except ssl.SSLZeroReturnError:
                self._got_close_notify = True
                return b""
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill():
                    return b""

    def _how_it_ended(self):
        return "close_notify" if self._got_close_notify else "eof"

    def close_notify(self):
        """Ends our direction as TLS asks for; reading stays possible, TCP stays open."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def half_close(self):
        self.close_notify()

    def end_of_tcp(self):
        """After close_notify: waits until the client ends TCP as well, and says how."""
        try:
            while self.sock.recv(65536):
                pass
            return "eof"
        except ConnectionResetError:
            return "reset"
