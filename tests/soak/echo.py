# SPDX-License-Identifier: MIT
"""What stands behind the targets: sends back what comes, in one thread. echo.py SOCKET"""

import contextlib
import selectors
import socket
import sys

CHUNK = 1 << 16


class Echo:
    """One connection. Reads nothing while the other side takes nothing."""

    def __init__(self, sock, selector):
        self.sock, self.selector, self.waiting = sock, selector, b""
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ, self)

    def on_ready(self):
        try:
            data = self.waiting or self.sock.recv(CHUNK)
            if not data:
                return self.close()
            rest = data[self.send(data):]
        except BlockingIOError:
            return None
        except OSError:
            return self.close()
        if bool(rest) != bool(self.waiting):
            wanted = selectors.EVENT_WRITE if rest else selectors.EVENT_READ
            self.selector.modify(self.sock, wanted, self)
        self.waiting = rest
        return None

    def send(self, data):
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0

    def close(self):
        self.selector.unregister(self.sock)
        self.sock.close()


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(4096)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data:
                key.data.on_ready()
                continue
            with contextlib.suppress(BlockingIOError):
                while True:
                    Echo(listener.accept()[0], selector)


main()
