# SPDX-License-Identifier: MIT
"""Captures of many bytes. CAPTURE_MIB: how many mebibytes go each way. The default is less than may
be on its way to a file, so that a slow machine drops nothing; a release build takes 256 as well."""

import os
import pathlib
import socket
import tempfile
import threading

import pytest
from harness import pcapng
from harness.capture import ring
from harness.programs import Nginx
from harness.volume import MIB, digest_of, receive, send
from harness.wait import PATIENCE

pytestmark = [pytest.mark.heavy, pytest.mark.needs("nginx")]

TOTAL = int(os.environ.get("CAPTURE_MIB", "14")) * MIB


@pytest.fixture
def memory():
    """A folder that no disk holds up, where there is one."""
    shared = pathlib.Path("/dev/shm")
    place = shared if shared.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="e2e-", dir=place) as name:
        yield pathlib.Path(name)


@pytest.fixture
def both_ways(request, tmp_path, pki, keep, serve):
    """TLS to a server that sends `total` bytes while it gets as many; and transfer(tunnel)."""
    seen, amount = [], getattr(request, "param", TOTAL)

    def script(peer):
        sender = threading.Thread(target=send, args=(peer, 2, amount), daemon=True)
        sender.start()
        seen.append(receive(peer, amount))
        sender.join()
        peer.read_to_end()

    class BothWays:
        total = amount
        server = keep(Nginx(tmp_path, pki.leaf(), serve(script).address))
        port = int(server.address.rsplit(":", 1)[1])

        @staticmethod
        def transfer(tunnel):
            client = tunnel.connect("svc")
            sender = threading.Thread(target=send, args=(client, 1, amount), daemon=True)
            sender.start()
            assert receive(client, amount) == digest_of(2, amount)
            sender.join()
            client.half_close()
            client.expect_eof()
            client.close()
            assert tunnel.closed()["kind"] == "ok"
            assert seen == [digest_of(1, amount)]

    return BothWays


def test_every_byte_of_a_long_transfer_both_ways_is_in_a_file_in_memory(relay, both_ways, memory):
    tunnel = relay(both_ways.server, options={"workers": 1},
                   capture={"file": f"{memory}/svc.pcapng", "max_size": "1GiB"})
    both_ways.transfer(tunnel)
    assert tunnel.terminate() == 0
    assert tunnel.log.find("capture_stopped")[0]["dropped"] == 0
    [file] = ring(memory)
    client, server, dropped = pcapng.read(file, both_ways.port)
    assert (dropped, client.gaps, server.gaps) == (0, 0, 0)
    assert (client.size, client.digest()) == (TOTAL, digest_of(1, TOTAL))
    assert (server.size, server.digest()) == (TOTAL, digest_of(2, TOTAL))


@pytest.mark.parametrize("both_ways", [max(TOTAL, 80 * MIB)], indirect=True)
def test_a_slow_reader_gets_less_and_the_transfer_all(relay, both_ways, tmp_path):
    total = both_ways.total
    tunnel = relay(both_ways.server, options={"workers": 1, "control": f"{tmp_path}/c"})
    file = tmp_path / "slow.pcapng"
    is_over = threading.Event()

    def read(sock):
        """64 KiB now and then, and all that is left at the end."""
        line = b""
        while not line.endswith(b"\n"):
            line += sock.recv(1)
        with open(file, "wb") as out:
            while piece := sock.recv(1 << 16):
                out.write(piece)
                is_over.wait(0.01)

    with socket.socket(socket.AF_UNIX) as reader:
        reader.connect(f"{tmp_path}/c")
        reader.settimeout(PATIENCE)
        reader.sendall(b'{"v":1,"command":"capture","services":["svc"]}\n')
        thread = threading.Thread(target=read, args=(reader,), daemon=True)
        thread.start()
        tunnel.wait_for_event("capture_started")
        both_ways.transfer(tunnel)
        is_over.set()
        reader.shutdown(socket.SHUT_WR)
        thread.join(PATIENCE)
        assert not thread.is_alive()
    dropped = tunnel.wait_for_event("capture_stopped")["dropped"]
    client, server, told = pcapng.read(file, both_ways.port)
    assert dropped > 0 and told == dropped
    assert client.size + server.size < 2 * total
