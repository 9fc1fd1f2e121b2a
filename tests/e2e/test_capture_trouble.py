# SPDX-License-Identifier: MIT
"""Captures where something is unusual: load, a full disk, several at once, ports used again."""

import json
import os
import pathlib
import resource
import socket
import threading

import pytest
from harness import netns
from harness import tunnel as program
from harness.capture import Live, assert_no_remarks, fields, payload, ring, tshark
from harness.peer import Peer
from harness.server import echo
from harness.wait import PATIENCE, eventually

pytestmark = pytest.mark.needs("tshark")

BLOCK = os.urandom(1 << 16)


@pytest.fixture
def captured(relay, tmp_path):
    """captured(target, ...) runs a tunnel with a control socket; `capture` adds to its table."""
    def captured(target, capture=None, **more):
        table = {} if capture is None else {
            "capture": {"file": f"{tmp_path}/svc.pcapng", **capture}}
        return relay(target, options={"workers": 2, "control": f"{tmp_path}/c"}, **table, **more)
    return captured


def exchange(client, data=b"hello"):
    client.send(data)
    assert client.recv_exact(len(data)) == data


class Load:
    """Clients that exchange blocks, one connection after another, until they are stopped."""

    def __init__(self, tunnel, count=3):
        self.connections = [0] * count
        self.errors = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(tunnel, i)) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, tunnel, index):
        try:
            while not self._stopping.is_set():
                with tunnel.connect("svc") as client:
                    for _ in range(5):
                        exchange(client, BLOCK)
                self.connections[index] += 1
        except BaseException as error:  # noqa: BLE001 - for stop()
            self.errors.append(error)

    def wait_for_more(self, count):
        """Each client has had `count` connections more, or has failed."""
        wanted = [done + count for done in self.connections]
        eventually(lambda: self.errors or all(a >= b for a, b in zip(self.connections, wanted)),
                   "clients go on")

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not self.errors, self.errors


def test_two_captures_of_one_service_see_the_same(captured, serve_tls, tmp_path):
    server = serve_tls(echo)
    t = captured(server.address, capture={})
    plain = Live(t, tmp_path, "svc", count=2)
    wire = Live(t, tmp_path, "svc", "--layer", "wire", count=3)
    status = json.loads(program.run(tmp_path, "status", t.path, "--json").stdout)
    assert sorted(one["layer"] for one in status["captures"]) == ["plain", "plain", "wire"]
    client = t.connect("svc")
    exchange(client, b"in all of them")
    client.close()
    t.closed()
    files = [plain.stop(), wire.stop()]
    assert t.terminate() == 0
    for file in (*ring(tmp_path), files[0]):
        assert payload(file, "dst", server.port) == b"in all of them"
        assert payload(file, "src", server.port) == b"in all of them"
    data = "".join(row[0] for row in fields(files[1], "tls.app_data and data", "data.data"))
    assert bytes.fromhex(data) == b"in all of them" * 2
    for file in (*ring(tmp_path), *files):
        assert_no_remarks(file)


def test_captures_begin_and_end_under_load(captured, serve_tls, tmp_path):
    t = captured(serve_tls(echo).address)
    load = Load(t)
    try:
        for i in range(1, 4):
            live = Live(t, tmp_path, "svc", "--layer", "wire" if i == 2 else "plain", count=i)
            load.wait_for_more(1)
            file = live.stop()
            t.wait_for_event("capture_stopped", i)
            # What began in the middle reads without damage; nothing but what was dropped is missing.
            assert fields(file, "tcp", "frame.number")
            if t.log.find("capture_stopped")[-1]["dropped"] == 0:
                assert tshark(file, "-Y", "tcp.analysis.lost_segment or _ws.malformed") == ""
    finally:
        load.stop()


def test_files_change_under_load_and_nothing_is_lost_between_them(captured, serve_tls, tmp_path):
    server = serve_tls(echo)
    t = captured(server.address, capture={"max_size": "1MiB", "files": 1000})
    load = Load(t)
    load.wait_for_more(3)
    load.stop()
    eventually(lambda: len(t.log.find("closed")) >= sum(load.connections), "all have ended")
    assert t.terminate() == 0
    stopped = t.log.find("capture_stopped")[-1]
    files = ring(tmp_path)
    assert len(files) > 2
    numbers = [int(row[0]) for file in files for row in fields(file, "tcp", "tcp.len")]
    assert len(numbers) == stopped["packets"]
    if stopped["dropped"] > 0:  # this machine is too slow for its disk, which is counted and no fault
        return
    assert sum(numbers) == sum(load.connections) * 5 * 2 * len(BLOCK)
    # Read as one, they are one conversation after another without a gap.
    whole = tmp_path / "whole.pcapng"
    whole.write_bytes(b"".join(pathlib.Path(file).read_bytes() for file in files))
    assert tshark(whole, "-Y", "tcp.analysis.lost_segment or _ws.malformed") == ""


def assert_ended_by(tunnel, tmp_path, reason):
    """The capture has ended with that reason, once, and clients have seen nothing of it."""
    client = tunnel.connect("svc")
    for _ in range(40):
        exchange(client, BLOCK)
        if tunnel.log.find("capture_stopped"):
            break
    stopped = tunnel.wait_for_event("capture_stopped")
    assert reason in stopped["msg"] and "svc_00001_" in stopped["msg"], stopped
    for _ in range(3):
        exchange(client, BLOCK)
    client.close()
    assert tunnel.closed()["kind"] == "ok"
    status = json.loads(program.run(tmp_path, "status", tunnel.path, "--json").stdout)
    assert not status.get("captures")
    assert len(tunnel.log.find("capture_stopped")) == 1


def test_a_file_that_may_not_grow_ends_the_capture_alone(captured, serve_tls, tmp_path):
    t = captured(serve_tls(echo).address, capture={})
    resource.prlimit(t.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
    assert_ended_by(t, tmp_path, "File too large")
    # What was written before is whole.
    [file] = ring(tmp_path)
    assert_no_remarks(file)


@pytest.mark.skipif(not netns.can_mount(), reason="no mount namespaces")
def test_a_full_disk_ends_the_capture_alone(relay, serve_tls, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    t = relay(serve_tls(echo).address, options={"control": f"{tmp_path}/c"},
              capture={"file": f"{disk}/svc.pcapng"},
              prefix=("unshare", "--mount", "sh", "-c",
                      f'mount -t tmpfs -o size=512k none {disk} && exec "$@"', "sh"))
    assert_ended_by(t, tmp_path, "No space left on device")
    [file] = ring(f"/proc/{t.pid}/root{disk}")
    assert fields(file, "tcp", "frame.number")
    assert_no_remarks(file)


def test_a_reader_that_stands_still_does_not_hold_up_the_process(relay, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    t = relay(server, options={"control": f"{tmp_path}/c"})
    with socket.socket(socket.AF_UNIX) as reader:
        reader.connect(f"{tmp_path}/c")
        reader.sendall(b'{"v":1,"command":"capture","services":["svc"]}\n')
        t.wait_for_event("capture_started")
        with t.connect("svc") as client:
            for _ in range(40):  # more than the socket takes
                exchange(client, BLOCK)
        t.closed()
        never = {"control": f"{tmp_path}/c", "capture": "never",
                 "svc": {"accept": "127.0.0.1:0", "connect": server.address,
                         "tls": {"ca": pki.ca.file}}}
        assert t.reload(never)["event"] == "reloaded"
        # It is told to leave, and has its time for that, in which all else goes on.
        stopped = t.wait_for_event("capture_stopped")
        assert 'capture = "never"' in stopped["msg"]
        events = [event["event"] for event in t.log.events if event.get("event")]
        assert events.index("reloaded") < events.index("capture_stopped")


def test_a_changed_capture_follows_the_one_before_it(captured, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    t = captured(server.address, capture={})
    exchange(client := t.connect("svc"), b"before")
    config = {"workers": 2, "control": f"{tmp_path}/c",
              "svc": {"accept": "127.0.0.1:0", "connect": server.address,
                      "tls": {"ca": pki.ca.file},
                      "capture": {"file": f"{tmp_path}/svc.pcapng", "snaplen": 3}}}
    assert t.reload(config)["event"] == "reloaded"
    t.wait_for_event("capture_started", 2)
    assert len(t.log.find("capture_stopped")) == 1
    status = json.loads(program.run(tmp_path, "status", t.path, "--json").stdout)
    assert len(status["captures"]) == 1
    exchange(client, b"after")
    client.close()
    t.closed()
    assert t.terminate() == 0
    first, second = ring(tmp_path)
    assert payload(first, "dst", server.port) == b"before"
    assert fields(second, f"tcp.dstport == {server.port} and tcp.len > 0", "tcp.payload") == [
        [b"aft".hex()]]


def test_a_client_port_that_is_used_again_is_a_new_connection(captured, serve_tls, tmp_path):
    server = serve_tls(echo)
    t = captured(server.address, capture={})
    host, port = t.address("svc").split(":")
    source = ("127.0.0.1", 0)
    for count in (1, 2, 3):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(source)
            source = sock.getsockname()
            sock.connect((host, int(port)))
            client = Peer(sock)
            exchange(client, b"%d" % count * 1000)
            client.reset()  # else the port would have to rest
        t.closed(count)
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert {row[0] for row in fields(file, "tcp.flags.syn == 1", "tcp.stream")} == {"0", "1", "2"}
    ports = {row[0] for row in fields(file, "tcp.dstport == %d" % server.port, "tcp.srcport")}
    assert ports == {str(source[1])}
    # That is what Wireshark says of it, and not that the one repeats the other.
    assert_no_remarks(file, but="tcp.analysis.reused_ports")
    assert len(fields(file, "tcp.analysis.reused_ports", "frame.number")) == 2


def test_ipv6_addresses_are_in_the_packets(start, serve_tls, pki, tmp_path):
    server = serve_tls(echo, host="::1")
    t = start({"svc": {"accept": "[::1]:0", "connect": server.address,
                       "tls": {"ca": str(pki.ca.file), "name": "server.test"},
                       "capture": {"file": f"{tmp_path}/svc.pcapng", "clients": ["::1/128"]}}})
    client = t.connect("svc")
    source = client.local_address.rsplit(":", 1)[1]
    exchange(client, b"six" * 50_000)
    client.close()
    t.closed()
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    [row] = fields(file, "tcp.flags.syn == 1 and tcp.flags.ack == 0", "ipv6.src", "ipv6.dst",
                   "tcp.srcport", "tcp.dstport")
    assert row == ["::1", "::1", source, str(server.port)]
    assert payload(file, "dst", server.port) == b"six" * 50_000
    assert_no_remarks(file)


def test_half_closes_stand_where_they_happened(captured, serve_tls, tmp_path):
    def answer_at_the_end(peer):
        peer.read_to_end()
        peer.send(b"answer")
        peer.half_close()

    t = captured(serve_tls(answer_at_the_end).address, capture={})
    client = t.connect("svc")
    client.send(b"question")
    client.half_close()
    assert client.expect_eof() == b"answer"
    client.close()
    t.closed()
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    order = [bytes.fromhex(data) or "fin" for data, _ in fields(
        file, "tcp.flags.fin == 1 or tcp.len > 0", "tcp.payload", "tcp.len")]
    assert order == [b"question", "fin", b"answer", "fin"]
    assert_no_remarks(file)


def test_a_truncated_answer_ends_in_a_reset_by_the_server(captured, serve_tls, tmp_path):
    def truncate(peer):
        peer.recv()
        peer.send(b"the first half")
        peer.fin()  # without close_notify
        peer.sock.recv(1)

    server = serve_tls(truncate)
    t = captured(server.address, capture={})
    client = t.connect("svc")
    client.send(b"question")
    assert client.expect_reset() == b"the first half"
    t.closed(kind="truncated")
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    [[source, comment]] = fields(file, "tcp.flags.reset == 1", "tcp.srcport", "frame.comment")
    assert source == str(server.port) and "kind=truncated" in comment, comment
    assert payload(file, "src", server.port) == b"the first half"


def test_the_first_packet_tells_the_certificate(captured, serve_tls, pki, tmp_path):
    identity = pki.leaf()
    t = captured(serve_tls(echo, identity=identity).address, capture={})
    for count in (1, 2):  # the second one is resumed
        client = t.connect("svc")
        exchange(client)
        client.close()
        t.closed(count)
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    [first, second] = [row[0] for row in fields(file, "tcp.flags.syn == 1 and tcp.flags.ack == 0",
                                                "frame.comment")]
    for comment, resumed in ((first, "resumed=no"), (second, "resumed=yes")):
        assert f"cert sha256:{identity.fingerprint}" in comment, comment
        assert "notAfter 20" in comment and resumed in comment and "tries=1" in comment, comment
