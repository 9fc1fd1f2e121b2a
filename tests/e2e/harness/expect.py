# SPDX-License-Identifier: MIT
"""What many tests expect of one connection: served, or refused with a word and a sentence."""

import json
import re

from .peer import Peer
from .wait import eventually


def served(tunnel, client, payload=b"hello"):
    """The connection echoes."""
    client.send(payload)
    assert client.recv_exact(len(payload)) == payload


def exchange(address):
    """Who listens there echoes, and ends in order."""
    with Peer.connect(address) as client:
        client.send(b"hello")
        assert client.recv_exact(5) == b"hello"
        client.half_close()
        client.expect_eof()


def served_to_the_end(tunnel, client, service="svc", payload=b"hello"):
    """The connection echoes, ends in order, and its `closed` line, which is returned, says so."""
    served(tunnel, client, payload)
    return _ended(tunnel, client, service, len(payload))


def served_to_the_end_after(tunnel, client, early, service="svc"):
    """As above, for a client that has sent `early` already."""
    assert client.recv_exact(len(early)) == early
    return _ended(tunnel, client, service, len(early))


def _ended(tunnel, client, service, size):
    client.half_close()
    assert client.expect_eof() == b""
    closed = tunnel.closed(service=service, client=client.local_address)
    assert closed["kind"] == "ok", closed
    assert (closed["bytes_up"], closed["bytes_down"]) == (size, size)
    return closed


def failed_dial(tunnel, client, target, kind, *sentence, service="svc"):
    """The client is reset before it gets a byte; the log has the word, the target and a sentence that
    matches every one of the given patterns. Returns the `closed` line."""
    assert client.expect_reset() == b""
    failed_dial_logged(tunnel, target, kind, *sentence, service=service)
    closed = tunnel.closed(service=service)
    assert closed["client"] == client.local_address
    return closed


def sentence(tunnel, service="svc"):
    """Why the connection failed: `dial_failed` says it, and when there is none, `closed`."""
    closed = tunnel.closed(service=service)
    dials = tunnel.log.find("dial_failed", service=service, conn=closed["conn"])
    return dials[-1]["msg"] if dials else closed["msg"]


def failed_dial_logged(tunnel, target, kind, *sentence, service="svc"):
    closed = tunnel.closed(service=service)
    assert closed["kind"] == kind, tunnel.log.text()
    assert (closed["bytes_up"], closed["bytes_down"]) == (0, 0)
    assert closed["total_ms"] >= 0
    dial = tunnel.wait_for_event("dial_failed", service=service)
    assert dial["level"] in ("warning", "error")
    line = json.dumps(dial, ensure_ascii=False)
    assert kind in line and target in line, line
    for pattern in sentence:
        assert re.search(pattern, dial["msg"], re.IGNORECASE), f"no {pattern!r} in: {dial['msg']}"


def checked_in_peace(relay, server, check, seen, trouble, health=None, **keys):
    """Checks of a real server succeed, and neither its log nor ours has anything to complain about.
    `seen` is a pattern of what each check leaves in the server's log, or a function that counts
    them; `trouble` is a pattern of what none must leave. Returns the tunnel."""
    before = len(server.text())
    count_before = seen() if callable(seen) else 0
    tunnel = relay(server, health={"check": check, "interval": "100ms", "timeout": "20s",
                                   "fall": 1, **(health or {})}, **keys)

    def fresh():
        return server.text()[before:]

    def count():
        return seen() - count_before if callable(seen) else len(re.findall(seen, fresh()))

    eventually(lambda: count() >= 5, lambda: f"checks leave {seen!r} in:\n{fresh()}")
    found = re.search(trouble, fresh(), re.IGNORECASE)
    assert not found, f"{found[0]!r} in:\n{fresh()}"
    assert not tunnel.log.find("ejected"), tunnel.log.text()
    return tunnel
