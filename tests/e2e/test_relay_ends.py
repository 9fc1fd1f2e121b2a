# SPDX-License-Identifier: MIT
"""How connections end: what each side sees when the other one ends, and the word in the log."""

import errno
import fcntl
import select
import socket
import ssl
import struct
import termios
import threading

import pytest
from harness import expect
from harness.crafted import CraftedWriter
from harness.server import echo, silent
from harness.wait import PATIENCE, eventually

TEXT = bytes(range(256)) * 40


class Note:
    """A value that a server script leaves for the test."""

    def __init__(self):
        self._there = threading.Event()

    def put(self, value):
        self._value = value
        self._there.set()

    def get(self):
        assert self._there.wait(PATIENCE), "the server script did not get that far"
        return self._value


def wait_until_acknowledged(peer):
    """All that was sent has reached the other side's kernel."""

    def unsent():
        return struct.unpack("i", fcntl.ioctl(peer.sock, termios.TIOCOUTQ, b"\0" * 4))[0]

    eventually(lambda: unsent() == 0, "the tunnel's side acknowledges")


def wait_for_reset(peer):
    """Waits, without reading, until the connection is reset."""
    poll = select.poll()
    poll.register(peer.sock, 0)
    assert poll.poll(PATIENCE * 1000), "no reset came"
    return peer.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (errno.ECONNRESET,
                                                                        errno.EPIPE)


@pytest.fixture(params=["tls1.2", "tls1.3", "plain"])
def over(request, relay, serve, serve_tls):
    """over(script, **service keys) gives (tunnel, client, server) over TLS and over plain TCP."""

    def over(script, **keys):
        if request.param == "plain":
            server = serve(script)
            tunnel = relay(server, tls=False, **keys)
        else:
            version = ssl.TLSVersion["TLSv" + request.param.removeprefix("tls").replace(".", "_")]
            server = serve_tls(script, minimum=version, maximum=version)
            tunnel = relay(server, **keys)
        return tunnel, tunnel.connect("svc"), server

    over.end = "eof" if request.param == "plain" else "close_notify"
    return over


def test_client_ends_first_and_still_gets_the_answer(over):
    def script(peer):
        end = peer.read_to_end()
        peer.send(end.data[::-1])
        peer.half_close()
        heard.put(end)

    heard = Note()
    tunnel, client, _ = over(script)
    client.send(TEXT)
    client.half_close()
    assert client.expect_eof() == TEXT[::-1]
    assert heard.get() == (TEXT, over.end)
    closed = tunnel.closed()
    assert (closed["kind"], closed["bytes_up"], closed["bytes_down"]) == ("ok", len(TEXT), len(TEXT))


def test_server_ends_first_and_client_sends_on(over):
    def script(peer):
        peer.send(TEXT)
        peer.half_close()
        heard.put(peer.read_to_end())

    heard = Note()
    tunnel, client, _ = over(script)
    assert client.expect_eof() == TEXT
    client.send(b"still ")
    client.send(b"talking")
    client.half_close()
    assert heard.get() == (b"still talking", over.end)
    closed = tunnel.closed()
    assert (closed["kind"], closed["bytes_up"]) == ("ok", 13)


def test_closed_line_is_complete(over):
    tunnel, client, server = over(echo)
    expect.served_to_the_end(tunnel, client)
    closed = tunnel.closed()
    assert closed["level"] == "info"
    assert closed["client"] == client.local_address
    assert server.address in closed["target"]
    for key in ("resolve_ms", "connect_ms", "preamble_ms", "tls_ms", "total_ms"):
        assert isinstance(closed[key], int)
    assert closed["connect_ms"] >= 0 and closed["total_ms"] >= 0
    assert (closed["tls_ms"] >= 0) == (over.end == "close_notify")
    assert closed["tries"] == 1
    assert closed["side"]


def test_server_resets(over):
    def script(peer):
        peer.send(TEXT)
        wait_until_acknowledged(peer)
        assert peer.recv()
        peer.reset()

    tunnel, client, _ = over(script)
    assert client.recv_exact(len(TEXT)) == TEXT
    client.send(b"now")
    assert client.expect_reset() == b""
    assert tunnel.closed()["kind"] == "reset_by_server"


def test_reset_does_not_overtake_what_a_slow_reader_has_not_fetched(relay, serve_tls, serve):
    data = TEXT * 50
    gone = Note()

    def script(peer):
        peer.send(data)
        wait_until_acknowledged(peer)
        peer.reset()
        gone.put(True)

    for server, tls in ((serve_tls(script), {}), (serve(script), False)):
        gone = Note()
        tunnel = relay(server, tls=tls)
        client = tunnel.connect("svc", receive_buffer=4096)
        assert gone.get()
        got = bytearray()
        while len(got) < len(data):
            got += client.recv_exact(min(5000, len(data) - len(got)))
        assert got == data
        assert client.expect_reset() == b""
        assert tunnel.closed()["kind"] == "reset_by_server"


def test_client_resets(over):
    def script(peer):
        assert peer.recv() == b"hello"
        ready.put(True)
        heard.put(peer.read_to_end())

    ready, heard = Note(), Note()
    tunnel, client, _ = over(script)
    client.send(b"hello")
    ready.get()
    client.reset()
    assert heard.get() == (b"", "reset")
    assert tunnel.closed()["kind"] == "reset_by_client"


def test_client_resets_while_the_server_does_not_read(over):
    """The tunnel does not read the client then, and must notice all the same, later."""

    def script(peer):
        assert go_on.get()
        heard.put(peer.read_to_end())

    go_on, heard = Note(), Note()
    tunnel, client, _ = over(script)
    fill(client)
    client.reset()
    go_on.put(True)
    assert heard.get().how == "reset"
    assert tunnel.closed()["kind"] == "reset_by_client"


def fill(peer):
    """Sends until everything on the way is full."""
    peer.sock.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            peer.send(bytes(1 << 20))


def test_client_resets_and_the_server_never_reads(over):
    go_on = Note()
    tunnel, client, server = over(lambda peer: go_on.get())
    fill(client)
    client.reset()
    assert tunnel.closed()["kind"] == "reset_by_client"
    go_on.put(True)
    server.wait_until_scripts_end()


def test_server_resets_and_the_client_never_reads(over):
    """The client gets what had arrived as long as half_close lasts."""

    def script(peer):
        try:
            fill(peer)
        finally:
            peer.reset()

    tunnel, client, _ = over(script, timeouts={"half_close": "1s"})
    assert tunnel.closed()["kind"] == "reset_by_server"
    assert client.read_to_end().how == "reset"


def test_what_the_client_sends_before_the_server_is_reached_is_not_lost(relay, serve_tls, dns):
    server = serve_tls(echo)
    dns.set("server.test", "A", ["127.0.0.1"])
    dns.delay("server.test", 0.5)
    tunnel = relay(f"server.test:{server.port}", options={"dns_servers": [dns.address]})
    client = tunnel.connect("svc")
    early = TEXT * 10
    client.send(early)
    client.half_close()
    assert client.expect_eof() == early
    assert tunnel.closed()["kind"] == "ok"


def test_idle_connection_is_reset_both_ways(over):
    def script(peer):
        peer.send(peer.recv())
        heard.put(peer.read_to_end())

    heard = Note()
    tunnel, client, _ = over(script, timeouts={"idle": "500ms"})
    expect.served(tunnel, client)
    client.expect_reset()
    assert heard.get().how == "reset"
    closed = tunnel.closed()
    assert closed["kind"] == "idle_timeout"
    assert closed["total_ms"] >= 500


def test_half_close_timeout_resets_both_ways(over):
    def script(peer):
        while peer.recv():
            pass
        ended.put(True)
        heard.put(wait_for_reset(peer))

    ended, heard = Note(), Note()
    tunnel, client, _ = over(script, timeouts={"half_close": "500ms"})
    client.send(b"question")
    client.half_close()
    ended.get()
    client.expect_reset()
    assert heard.get()
    assert tunnel.closed()["kind"] == "half_close_timeout"


def test_half_close_timeout_when_the_server_ended_first(over):
    def script(peer):
        peer.send(TEXT)
        peer.half_close()
        heard.put(peer.read_to_end())

    heard = Note()
    tunnel, client, _ = over(script, timeouts={"half_close": "500ms"})
    assert client.recv_exact(len(TEXT)) == TEXT
    assert heard.get().how == "reset"
    assert tunnel.closed()["kind"] == "half_close_timeout"


def test_unix_client_that_stops_reading_may_go_on_writing(relay, serve_tls, tmp_path):
    heard, reads_no_more = Note(), threading.Event()

    def script(peer):
        assert peer.recv_exact(5) == b"first"
        assert reads_no_more.wait(PATIENCE)
        peer.send(b"nobody reads this")
        heard.put(peer.recv_exact(len(TEXT)))
        peer.close()

    tunnel = relay(serve_tls(script), accept=str(tmp_path / "in.sock"))
    client = tunnel.connect("svc")
    client.send(b"first")
    client.sock.shutdown(socket.SHUT_RD)
    reads_no_more.set()
    client.send(TEXT[:-1])
    client.send(TEXT[-1:])
    assert heard.get() == TEXT


def test_unix_client_sees_eof_where_tcp_would_see_a_reset(relay, serve_tls, tmp_path):
    def script(peer):
        assert peer.recv() == b"go"
        peer.send(TEXT)
        wait_until_acknowledged(peer)
        peer.reset()

    tunnel = relay(serve_tls(script), accept=str(tmp_path / "in.sock"))
    with tunnel.connect("svc") as client:
        client.send(b"go")
        assert client.expect_eof() == TEXT
    assert tunnel.closed()["kind"] == "reset_by_server"


# TLS only: close_notify tells an end from a cut.

@pytest.mark.parametrize("setting, seen", [(None, "reset"), ("reset", "reset"), ("eof", "eof")])
def test_server_ends_tcp_without_close_notify(relay, serve_tls, setting, seen):
    def script(peer):
        peer.send(TEXT)
        peer.fin()
        peer.read_to_end()

    keys = {"on_truncation": setting} if setting else {}
    tunnel = relay(serve_tls(script), **keys)
    client = tunnel.connect("svc")
    assert client.read_to_end() == (TEXT, seen)
    client.close()
    closed = tunnel.closed()
    assert closed["kind"] == "truncated"
    assert closed["bytes_down"] == len(TEXT)


def test_cut_in_the_middle_of_a_record_is_a_truncation(relay, serve_tls):
    def script(peer):
        peer.send(b"whole")
        peer.tls.write(b"half of this record never comes")
        peer.sock.sendall(peer._out.read()[:20])
        peer.fin()
        peer.read_to_end()

    tunnel = relay(serve_tls(script))
    assert tunnel.connect("svc").expect_reset() == b"whole"
    assert tunnel.closed()["kind"] == "truncated"


def test_reset_after_close_notify_is_in_order(relay, serve_tls):
    def script(peer):
        peer.send(TEXT)
        peer.close_notify()
        assert peer.recv_exact(2) == b"ok"
        peer.reset()

    tunnel = relay(serve_tls(script))
    client = tunnel.connect("svc")
    assert client.expect_eof() == TEXT
    client.send(b"ok")
    assert tunnel.closed()["kind"] == "ok"


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_server_drops_tcp_after_our_close_notify(relay, serve_tls, how):
    """MySQL's way of saying goodbye."""

    def script(peer):
        while peer.recv():
            pass
        getattr(peer, how)()

    tunnel = relay(serve_tls(script))
    client = tunnel.connect("svc")
    client.send(b"quit")
    client.half_close()
    assert client.expect_eof() == b""
    assert tunnel.closed()["kind"] == "ok"


def test_bare_fin_after_an_answer_is_a_truncation_even_if_client_ended_first(relay, serve_tls):
    def script(peer):
        while peer.recv():
            pass
        peer.send(b"part of the answer")
        wait_until_acknowledged(peer)
        peer.fin()
        peer.read_to_end()

    tunnel = relay(serve_tls(script))
    client = tunnel.connect("svc")
    client.send(b"question")
    client.half_close()
    assert client.expect_reset() == b"part of the answer"
    assert tunnel.closed()["kind"] == "truncated"


def test_fatal_alert_in_the_middle(relay, serve_tls, tmp_path):
    keylog = tmp_path / "keys"

    def script(peer):
        writer = CraftedWriter(peer, keylog)
        assert peer.recv() == b"go"
        writer.send(TEXT)
        writer.alert(80)
        peer.read_to_end()

    server = serve_tls(script, tickets=0, keylog=keylog, minimum=ssl.TLSVersion.TLSv1_3)
    tunnel = relay(server)
    client = tunnel.connect("svc")
    client.send(b"go")
    assert client.expect_reset() == TEXT
    assert tunnel.closed()["kind"] == "tls_alert"


def test_garbage_instead_of_a_record_cuts_the_connection(relay, serve_tls):
    def script(peer):
        peer.send(TEXT)
        peer.sock.sendall(b"\x17\x03\x03\x00\x20" + b"\xaa" * 32)
        peer.read_to_end()

    tunnel = relay(serve_tls(script))
    client = tunnel.connect("svc")
    assert client.expect_reset() == TEXT
    assert tunnel.closed()["kind"] == "tls_failed"


def test_tcp_ends_when_both_directions_have(relay, serve_tls):
    """The FIN follows our close_notify once the server has ended too."""

    def script(peer):
        while peer.recv():
            pass
        peer.close_notify()
        heard.put(peer.end_of_tcp())

    heard = Note()
    tunnel = relay(serve_tls(script))
    client = tunnel.connect("svc")
    client.half_close()
    assert client.expect_eof() == b""
    assert heard.get() == "eof"


def test_client_that_vanishes_without_a_word_leaves_nothing_behind(relay, serve_tls):
    server = serve_tls(silent)
    tunnel = relay(server)
    for _ in range(10):  # what each worker opens for itself at its first connection
        tunnel.connect("svc").close()
    tunnel.closed(count=10)
    files = tunnel.ps.num_fds()
    for _ in range(20):
        tunnel.connect("svc").close()
    tunnel.closed(count=30)
    eventually(lambda: tunnel.ps.num_fds() <= files, "descriptors are given back")
