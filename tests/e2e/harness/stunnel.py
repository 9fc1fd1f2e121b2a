# SPDX-License-Identifier: MIT
"""A stunnel.conf, run by stunnel, by the tunnel, and by the tunnel from what `convert` makes of it."""

import os
import re
import signal
import subprocess

from . import tunnel
from .peer import Peer
from .process import DIE_WITH_PARENT, Background
from .server import TlsServer, echo

BINARY = "/usr/bin/stunnel4"
HEAD = "pid =\nforeground = yes\ndebug = info\n"

KINDS = ("stunnel", "tunnel", "converted")


class Failed(AssertionError):
    """The program did not start."""

    def __init__(self, status, text):
        super().__init__(f"exit status {status}:\n{text}")
        self.status, self.text = status, text


def arguments(kind, folder, text):
    """The command line that runs the configuration, whose file is written."""
    if "\ufeff" in text:  # a mark is one at the beginning only
        text = "\ufeff" + text.replace("\ufeff", "")
    path = tunnel.write_config(folder, text.encode(), "service.conf")
    if kind == "stunnel":
        return [BINARY, path]
    if kind == "converted":
        done = tunnel.run(folder, "convert", path)
        if done.returncode != 0:
            raise Failed(done.returncode, done.stderr)
        path = tunnel.write_config(folder, done.stdout, "converted.toml")
    return [tunnel.BINARY, path]


class Program(Background):
    """One of the three at work, in the foreground. Its log is that of each kind."""

    def __init__(self, kind, folder, text, head=HEAD):
        self.kind, self.is_stunnel, self.folder = kind, kind == "stunnel", folder
        super().__init__(arguments(kind, folder, head + text), folder, kind, cwd=folder,
                         env=_environment(folder))
        ready = "Accepting new connections" if self.is_stunnel else "ready: serving"
        try:
            self.wait_until(lambda: ready in self.text(), "is ready")
        except AssertionError as error:
            status = self.process.poll()
            self.stop()
            if status is None:
                raise
            raise Failed(status, self.text()) from error

    def addresses(self, section):
        name = re.escape(section)
        bound = re.compile(rf"Service \[{name}\] \(FD=\d+\) bound to (?:localhost:(?=/))?(\S+)"
                           if self.is_stunnel else rf"{name} listening on (\S+)")
        return bound.findall(self.text())

    def connect(self, section, **kwargs):
        return Peer.connect(self.addresses(section)[0], **kwargs)

    def stop(self):
        """Ends it at once; SIGTERM alone would let the tunnel's connections finish."""
        if self.is_alive():
            self.process.terminate()
            try:
                self.process.wait(0.3)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGTERM)
        super().stop()
        if not self.is_stunnel:
            tunnel.assert_no_sanitizer_report(self.folder, self.text())


def _environment(folder):
    return {**os.environ, **tunnel.sanitizer_environment(folder)}


def run_on(kind, folder, text, stdin, stdout, head=HEAD):
    """Runs a configuration without sections on these files or sockets, as inetd does."""
    return subprocess.Popen([*DIE_WITH_PARENT, *map(str, arguments(kind, folder, head + text))],
                            stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, cwd=folder,
                            env=_environment(folder))


class StunnelServer(Background):
    """stunnel on the server's side: TLS comes in, plaintext goes out. Its first section is the one."""

    def __init__(self, folder, text):
        path = folder / "server.conf"
        path.write_text(HEAD + text)
        super().__init__([BINARY, path], folder, "stunnel-server", cwd=folder)
        self.address = self.wait_until(self._address, "listens")

    def _address(self):
        if "Accepting new connections" in self.text():
            return re.search(r"bound to (\S+)", self.text())[1]
        return None


class Witness(TlsServer):
    """Notes what each client showed in its handshake."""

    def __init__(self, script, context, **kwargs):
        self.server_names, self.sessions, self.certificates, self.clients = [], [], [], []
        context.sni_callback = lambda _tls, name, _context: self.server_names.append(name)
        super().__init__(script, context, **kwargs)

    def wrap(self, sock):
        self.clients.append(sock.getpeername())
        peer = super().wrap(sock)
        if peer:
            self.sessions.append((peer.tls.cipher()[0], peer.tls.version()))
            self.certificates.append(peer.tls.getpeercert(True))
        return peer


def greets(greeting):
    """A server that speaks first."""

    def script(peer):
        peer.send(greeting)
        echo(peer)

    return script


def served(client, greeting=b"", payload=b"hello\r\n"):
    """The client sees the greeting, its words come back, and both ends are orderly."""
    assert client.recv_exact(len(greeting)) == greeting
    client.send(payload)
    assert client.recv_exact(len(payload)) == payload
    client.half_close()
    assert client.expect_eof() == b""


def refused(client):
    assert client.expect_reset() == b""
