# SPDX-License-Identifier: MIT
"""Servers that follow a script: a function called in a thread of its own for each connection."""

import socket
import ssl
import threading

from . import ports
from .peer import Peer, TlsPeer
from .wait import PATIENCE, eventually


class Server:
    """Plain TCP (`host` "localhost": IPv4 and IPv6), or a unix socket when `path` is given.

    `script(peer)` runs once per accepted connection; the socket is closed when it returns, unless it
    did so itself. What it raises is kept in `errors` and fails the test at stop(), except that the
    client has gone: tests that care assert what the script saw.
    """

    def __init__(self, script, host="127.0.0.1", port=0, path=None, backlog=512):
        self.script = script
        self.host, self.path = host, path
        self.errors, self.handshake_errors = [], []
        self.accepted = 0
        self._peers, self._threads = [], []
        self._lock = threading.Condition()
        self._stopping = False
        if path:
            self._listeners = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)]
            self._listeners[0].bind(str(path))
        elif host == "localhost":
            self._listeners = ports.listen_on_localhost()
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listeners = [socket.socket(family, socket.SOCK_STREAM)]
            self._listeners[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # A test may want the same port at another address: not one that a client may have there.
            self._listeners[0].bind((host, port or ports.free_port(host)))
        self._acceptors = []
        for listener in self._listeners:
            listener.listen(backlog)
            self._acceptors.append(
                threading.Thread(target=self._accept, args=(listener,), daemon=True))
            self._acceptors[-1].start()

    @property
    def port(self):
        return self._listeners[0].getsockname()[1]

    @property
    def address(self):
        return str(self.path) if self.path else ports.show(self.host, self.port)

    def wrap(self, sock):
        """The peer that the script gets, or None when there is no talking to it."""
        return Peer(sock)

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._stopping:
                    sock.close()
                    return
                self.accepted += 1
                self._peers.append(sock)
                thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()
                self._lock.notify_all()

    def _serve(self, sock):
        try:
            peer = self.wrap(sock)
            if peer:
                self.script(peer)
        except (ConnectionResetError, BrokenPipeError):
            pass
        except BaseException as error:  # noqa: BLE001 - kept for stop()
            if not self._stopping:
                self.errors.append(error)
        finally:
            sock.close()

    def wait_for_connections(self, count, timeout=PATIENCE):
        with self._lock:
            assert self._lock.wait_for(lambda: self.accepted >= count, timeout), \
                f"the server saw {self.accepted} connections, not {count}"

    def wait_until_scripts_end(self):
        """Every script that was begun has run to its end."""
        for thread in list(self._threads):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a server script never ended"

    def stop_listening(self):
        """New connections are refused; those that stand go on."""
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
        for thread in self._acceptors:
            thread.join(PATIENCE)
        for listener in self._listeners:
            listener.close()

    def stop(self):
        with self._lock:
            self._stopping = True
        for sock in [*self._listeners, *self._peers]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for listener in self._listeners:
            listener.close()
        for thread in [*self._acceptors, *self._threads]:
            thread.join(PATIENCE)
        if self.errors:
            raise self.errors[0]


class TlsServer(Server):
    """TLS; a failed handshake is no error of the script but noted in `handshake_errors`."""

    def __init__(self, script, context, **kwargs):
        self.context = context
        super().__init__(script, **kwargs)

    def wrap(self, sock):
        peer = TlsPeer(sock, self.context)
        try:
            peer.handshake()
            return peer
        except (ssl.SSLError, OSError) as error:
            self.handshake_errors.append(error)
            return None

    def wait_for_handshake_error(self):
        return eventually(lambda: self.handshake_errors, "the server sees the handshake fail")[0]


class FullBacklog:
    """Listens without ever accepting, its queue full: a connection attempt is neither answered nor
    refused."""

    def __init__(self, host="127.0.0.1", port=0):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(0)
        self.address = ports.show(*self._listener.getsockname())
        self._fillers = []
        while True:
            s = socket.socket()
            self._fillers.append(s)
            s.settimeout(0.5)
            try:
                s.connect(self._listener.getsockname())
            except TimeoutError:
                return

    def stop(self):
        for s in [*self._fillers, self._listener]:
            s.close()


# Scripts that many tests share.

def echo(peer):
    """Sends back what comes, and ends its direction after the other one has."""
    while data := peer.recv():
        peer.send(data)
    peer.half_close()


def silent(peer):
    """Says nothing until the other side goes away."""
    peer.read_to_end()
