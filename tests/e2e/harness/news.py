# SPDX-License-Identifier: MIT
"""As much of a news reader (RFC 3977) as the tests need; python's own is gone."""

import socket

from .wait import PATIENCE


class NewsReader:
    """`welcome` is the server's greeting."""

    def __init__(self, host, port):
        self._sock = socket.create_connection((host, port), timeout=PATIENCE)
        self._lines = self._sock.makefile("rb")
        self.welcome = self._line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self._lines.closed:
            self._lines.close()
            self._sock.close()

    def _line(self):
        line = self._lines.readline()
        assert line.endswith(b"\r\n"), f"the server hung up: {line!r}"
        return line[:-2].decode()

    def ask(self, command):
        """The answer's first line."""
        self._sock.sendall(command.encode() + b"\r\n")
        return self._line()

    def ask_for_lines(self, command, code):
        """The lines of an answer that has some, which this code announces."""
        answer = self.ask(command)
        assert answer.startswith(f"{code} "), answer
        lines = []
        while (line := self._line()) != ".":
            lines.append(line.removeprefix("."))
        return lines

    def quit(self):
        answer = self.ask("QUIT")
        assert answer.startswith("205 "), answer
        assert self._lines.read() == b""
        self.__exit__()
