# SPDX-License-Identifier: MIT
"""The kernel's two ways to save a trip where it is known who speaks first: `defer_accept` on the
accepted side, `fast_open` towards the targets."""

import pytest
from harness import expect, netns
from harness.netns import Namespace
from harness.server import TlsServer, echo

# Both halves of TCP Fast Open: as a client and, for the server of the test, without an option of its socket.
ALLOW_FAST_OPEN = "echo 1027 >/proc/sys/net/ipv4/tcp_fastopen;"


def fast_opens(network):
    """How many connections inside have sent their first bytes with the SYN, and were understood."""

    def read():
        with open("/proc/thread-self/net/netstat", encoding="ascii") as lines:
            names, values = [line.split() for line in lines if line.startswith("TcpExt:")]
        return int(dict(zip(names, values))["TCPFastOpenActive"])

    return network.call(read)


def test_a_client_that_speaks_first_is_served_with_defer_accept(relay, serve_tls):
    tunnel = relay(serve_tls(echo), defer_accept=True)
    expect.served(tunnel, tunnel.connect("svc"))


@pytest.mark.skipif(not netns.is_possible(), reason="no network namespaces")
def test_fast_open_saves_a_round_trip_and_hides_no_refusal(keep, relay, pki, tmp_path):
    network = keep(Namespace(ALLOW_FAST_OPEN))
    server = keep(network.call(lambda: TlsServer(echo, pki.context())))
    tunnel = relay(server, accept=str(tmp_path / "in.sock"), prefix=network.prefix, fast_open=True)
    for count in range(3):  # the first one asks for the server's cookie
        client = tunnel.connect("svc")
        expect.served(tunnel, client)
        client.half_close()
        assert client.expect_eof() == b""
        assert fast_opens(network) == count
    server.stop()
    client = tunnel.connect("svc")
    assert client.expect_eof() == b""
    failed = tunnel.wait_for_event("dial_failed")
    assert failed["kind"] == "connect_refused"
    assert "connection refused" in failed["msg"]
