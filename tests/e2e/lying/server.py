# SPDX-License-Identifier: MIT
"""Listeners, one for each lie, all served by one thread that waits and one for each connection."""

import selectors
import socket
import threading

from harness.wait import PATIENCE

from .conversation import Conversation


class LyingServer:
    """`conversation` is the class that speaks the version; lies are told by their position."""

    def __init__(self, lies, pki):
        """`lies`: (class of conversation, Lie) pairs."""
        self._selector = selectors.DefaultSelector()
        self.addresses, self.conversations, self.errors = [], [], []
        self._threads = []
        for i, (speak, lie) in enumerate(lies):
            listener = socket.create_server(("127.0.0.1", 0))
            identity = (lie.identity or (lambda pki: pki.leaf()))(pki)
            self._selector.register(listener, selectors.EVENT_READ, (i, speak, lie, identity))
            self.addresses.append("127.0.0.1:%d" % listener.getsockname()[1])
            self.conversations.append([])
        self._wake, waker = socket.socketpair()
        self._selector.register(waker, selectors.EVENT_READ, None)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self):
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                sock, _ = key.fileobj.accept()
                i, speak, lie, identity = key.data
                conversation: Conversation = speak(sock, identity, lie)
                self.conversations[i].append(conversation)
                threading.Thread(target=self._serve, args=(conversation,), daemon=True).start()

    def _serve(self, conversation):
        sock = conversation.sock
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            conversation.play()
        except BaseException as error:  # noqa: BLE001 - the tests look at it
            self.errors.append(error)
        finally:
            sock.close()

    def stop(self):
        self._wake.send(b"x")
        self._acceptor.join(PATIENCE)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()
