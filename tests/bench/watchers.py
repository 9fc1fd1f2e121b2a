# SPDX-License-Identifier: MIT
"""Who looks at a tunnel's status address: a dozen clients that never end their request, and one that
asks for everything four times a second."""

import contextlib
import socket
import threading
import urllib.request

SLOW = 12  # of the 16 clients that it has at a time: more would keep the one waiting
INTERVAL_SECONDS = 0.25


class Watchers:
    """There from the moment in which it has been answered once. `error`: why somebody was not."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._place, self._url = (host, int(port)), f"http://{address}"
        self._over, self.error = threading.Event(), None
        self._slow = [socket.create_connection(self._place) for _ in range(SLOW)]
        self._look()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _look(self):
        for path in ("/metrics", "/status.json", "/"):
            urllib.request.urlopen(self._url + path, timeout=30).read()
        for i, client in enumerate(self._slow):
            # One that was sent away comes again.
            with contextlib.suppress(ConnectionError):
                client.send(b"G")
                continue
            client.close()
            self._slow[i] = socket.create_connection(self._place)

    def _run(self):
        try:
            while not self._over.wait(INTERVAL_SECONDS):
                self._look()
        except OSError as error:
            self.error = error

    def stop(self):
        self._over.set()
        self._thread.join()
        for client in self._slow:
            client.close()
