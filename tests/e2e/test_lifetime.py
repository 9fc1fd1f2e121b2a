# SPDX-License-Identifier: MIT
"""Signals and the end: readiness, log files, the orderly stop and the forced one."""

import json
import os
import pathlib
import signal
import socket
import tempfile
import threading

import pytest
from harness import expect, ports
from harness.frozen import FrozenThread, thread_named
from harness.peer import Peer
from harness.server import echo, silent
from harness.wait import PATIENCE, eventually


@pytest.fixture
def notify_socket(tmp_path, stack):
    """systemd's side of sd_notify."""
    sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    sock.bind(str(tmp_path / "notify"))
    sock.settimeout(PATIENCE)
    return sock


def test_systemd_is_told(relay, serve, notify_socket, tmp_path):
    tunnel = relay(serve(echo), tls=False, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert b"READY=1" in notify_socket.recv(4096).split(b"\n")
    assert tunnel.terminate() == 0
    said = b""
    while b"STOPPING=1" not in said:
        said = notify_socket.recv(4096)


def test_nobody_is_told_of_a_failed_start(run, serve, notify_socket, tmp_path):
    done = run(config={"foreground": True, "svc": {
        "accept": serve(silent).address, "connect": "127.0.0.1:1", "tls": False}},
        env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert done.returncode == 1
    notify_socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        notify_socket.recv(4096)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_nothing_going_on_ends_at_once(relay, serve, number):
    tunnel = relay(serve(echo), tls=False)
    tunnel.signal(number)
    assert tunnel.wait_for_exit() == 0
    words = [e["event"] for e in tunnel.log.events]
    assert words[-1] == "stopped"


def test_idle_connections_end_in_order(relay, serve_tls):
    """Quiet, and the last byte came from the server: a connection resting in somebody's pool."""
    ends = []

    def script(peer):
        peer.send(peer.recv())
        ends.append(peer.read_to_end())

    server = serve_tls(script)
    tunnel = relay(server)
    clients = [tunnel.connect("svc") for _ in range(3)]
    for client in clients:
        expect.served(tunnel, client)
    tunnel.signal(signal.SIGTERM)
    for client in clients:
        assert client.expect_eof() == b""
        client.close()
    assert tunnel.wait_for_exit() == 0
    server.wait_until_scripts_end()
    assert [e.how for e in ends] == ["close_notify"] * 3
    assert len(tunnel.log.find("closed")) == 3


def test_connection_without_a_single_byte_is_idle_too(relay, serve_tls):
    ends = []
    server = serve_tls(lambda peer: ends.append(peer.read_to_end()))
    tunnel = relay(server)
    client = tunnel.connect("svc")
    server.wait_for_connections(1)
    tunnel.signal(signal.SIGTERM)
    assert client.expect_eof() == b""
    client.close()
    assert tunnel.wait_for_exit() == 0
    server.wait_until_scripts_end()
    assert [e.how for e in ends] == ["close_notify"]


def test_busy_connections_finish_first(relay, serve_tls):
    go_on = threading.Event()

    def script(peer):
        question = peer.recv()
        assert go_on.wait(PATIENCE)
        peer.send(question[::-1])
        peer.half_close()
        peer.read_to_end()

    tunnel = relay(serve_tls(script))
    client = tunnel.connect("svc")
    client.send(b"question")
    eventually(lambda: tunnel.process.poll() is None, "it runs")
    tunnel.signal(signal.SIGTERM)
    tunnel.wait_for_event("draining")
    address = tunnel.address("svc")
    eventually(lambda: not ports.is_open(*ports.parse(address)), "nobody new is let in")
    go_on.set()
    assert client.expect_eof() == b"noitseuq"
    client.close()
    assert tunnel.wait_for_exit() == 0
    assert tunnel.log.find("closed")[-1]["kind"] == "ok"


def test_socket_files_go_at_once(relay, serve, tmp_path):
    path = tmp_path / "in.sock"
    tunnel = relay(serve(silent), tls=False, accept=str(path))
    client = tunnel.connect("svc")
    client.send(b"a question that is never answered")
    tunnel.signal(signal.SIGTERM)
    eventually(lambda: not path.exists(), "the socket file goes while connections live")
    assert tunnel.process.poll() is None


def busy(relay, serve_tls, shutdown_timeout):
    """A tunnel with a client that waits for an answer which never comes."""
    ends = []

    def script(peer):
        assert peer.recv() == b"question"
        asked.set()
        ends.append(peer.read_to_end())

    asked = threading.Event()
    server = serve_tls(script)
    tunnel = relay(server, options={"shutdown_timeout": shutdown_timeout})
    client = tunnel.connect("svc")
    client.send(b"question")
    assert asked.wait(PATIENCE)
    tunnel.signal(signal.SIGTERM)
    return tunnel, client, server, ends


def test_shutdown_timeout_resets_what_is_left(relay, serve_tls):
    tunnel, client, server, ends = busy(relay, serve_tls, "500ms")
    assert client.expect_reset() == b""
    assert tunnel.wait_for_exit() == 1
    server.wait_until_scripts_end()
    assert [e.how for e in ends] == ["reset"]
    assert tunnel.log.find("closed")[-1]["kind"] == "stopped"


@pytest.mark.parametrize("timeout", ["1h", "off"])
def test_second_signal_ends_at_once(relay, serve_tls, timeout):
    tunnel, client, server, ends = busy(relay, serve_tls, timeout)
    tunnel.wait_for_event("draining")
    tunnel.signal(signal.SIGTERM)
    assert client.expect_reset() == b""
    assert tunnel.wait_for_exit() == 1
    server.wait_until_scripts_end()
    assert [e.how for e in ends] == ["reset"]


def test_a_hangup_during_a_stop_is_refused_aloud(relay, serve_tls):
    tunnel, client, _, _ = busy(relay, serve_tls, "1h")
    tunnel.wait_for_event("draining")
    tunnel.signal(signal.SIGHUP)
    assert "stopping" in tunnel.wait_for_event("reload_failed")["msg"]
    tunnel.signal(signal.SIGTERM)
    client.expect_reset()
    assert tunnel.wait_for_exit() == 1


def test_second_signal_ends_the_process_whatever_a_worker_does(relay, serve_tls, keep):
    tunnel = relay(serve_tls(echo), options={"workers": 1})
    client = tunnel.connect("svc")
    expect.served(tunnel, client)
    worker = keep(FrozenThread(thread_named(tunnel.pid, "worker-0")))
    if not worker.is_possible:
        pytest.skip("no thread may be traced here")
    tunnel.signal(signal.SIGTERM)
    tunnel.wait_for_event("draining")
    tunnel.signal(signal.SIGTERM)
    # A forced end must not look like an orderly one, either.
    assert client.expect_reset() == b""
    assert tunnel.wait_for_exit() == 1
    assert "did not end in time" in tunnel.log.find("stopped")[-1]["msg"]


def test_a_stop_that_is_forced_by_time_does_not_wait_for_a_worker(relay, serve_tls, keep):
    tunnel = relay(serve_tls(echo), options={"workers": 1, "shutdown_timeout": "100ms"})
    client = tunnel.connect("svc")
    expect.served(tunnel, client)
    worker = keep(FrozenThread(thread_named(tunnel.pid, "worker-0")))
    if not worker.is_possible:
        pytest.skip("no thread may be traced here")
    tunnel.signal(signal.SIGTERM)
    assert client.expect_reset() == b""
    assert tunnel.wait_for_exit() == 1


def test_signals_without_end_do_not_change_how_it_ends(relay, serve):
    for _ in range(5):
        tunnel = relay(serve(echo), tls=False)
        while tunnel.process.poll() is None:
            tunnel.signal(signal.SIGTERM)
        assert tunnel.wait_for_exit() in (0, 1), "killed by a signal that came while it ended"


def test_stop_while_dialling(relay, serve):
    """A client whose target never answers does not keep the process beyond shutdown_timeout."""
    server = serve(silent)
    tunnel = relay(server, timeouts={"handshake": "1h", "dial": "1h"},
                   options={"shutdown_timeout": "500ms"})
    client = tunnel.connect("svc")
    server.wait_for_connections(1)
    tunnel.signal(signal.SIGTERM)
    client.expect_reset()
    assert tunnel.wait_for_exit() == 1


def test_hangup_is_logged_and_ignored(relay, serve):
    tunnel = relay(serve(echo), tls=False)
    with tunnel.connect("svc") as client:
        expect.served(tunnel, client)
        tunnel.signal(signal.SIGHUP)
        tunnel.log.wait_for(msg=lambda m: "SIGHUP" in m or "reload" in m.lower())
        expect.served(tunnel, client)
    assert tunnel.terminate() == 0


def test_broken_pipes_do_not_kill(relay, serve_tls):
    def script(peer):
        peer.reset()

    tunnel = relay(serve_tls(script))
    for _ in range(10):
        with tunnel.connect("svc") as client:
            try:
                for _ in range(10):
                    client.send(b"x" * 10000)
            except (ConnectionResetError, BrokenPipeError):
                pass
    tunnel.closed(count=10)
    assert tunnel.terminate() == 0


# Log files.

def lines(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_log_file_and_its_reopening(start, serve, tmp_path, log_format):
    path, moved = tmp_path / "log", tmp_path / "log.1"
    port = ports.free_port()
    tunnel = start({"log_file": path, "log_format": log_format, "svc": {
        "accept": f"127.0.0.1:{port}", "connect": serve(echo).address, "tls": False}},
        wait_ready=False)
    eventually(lambda: any("ready" in line for line in lines(path)), "the log file says ready")

    def one_connection():
        with Peer.connect(f"127.0.0.1:{port}") as client:
            expect.served(tunnel, client)
            client.half_close()
            client.expect_eof()
            return client.local_address

    first = one_connection()
    eventually(lambda: any(first in line for line in lines(path)), "the connection is logged")
    path.rename(moved)
    tunnel.signal(signal.SIGUSR1)
    eventually(path.exists, "the log is opened anew")
    second = one_connection()
    eventually(lambda: any(second in line for line in lines(path)), "logging goes on there")
    assert not any(second in line for line in lines(moved))
    assert tunnel.terminate() == 0
    for line in lines(path) + lines(moved):
        if log_format == "json":
            assert {"ts", "level", "event", "msg"} <= set(json.loads(line))
        else:
            assert line[10] == "T" and line[23] == "Z", line
    assert tunnel.log.text() == "", "nothing went to standard error"


def test_text_lines_carry_service_and_connection(start, serve):
    tunnel = start({"log_format": "text", "svc": {
        "accept": f"127.0.0.1:{ports.free_port()}", "connect": serve(echo).address,
        "tls": False}}, wait_ready=False)
    eventually(lambda: any("ready" in line for line in tunnel.log.other_lines), "ready")
    line = next(line for line in tunnel.log.other_lines if "127.0.0.1:" in line)
    address = next(w for w in line.replace("=", " ").split() if w.startswith("127.0.0.1:"))
    with Peer.connect(address) as client:
        expect.served(tunnel, client)
    closed = eventually(
        lambda: [line for line in tunnel.log.other_lines if "svc[1]" in line], "closed")[-1]
    assert " INFO  svc[1] " in closed and "kind=ok" in closed


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_log_file_can_be_reopened_under_another_identity(start, serve):
    # Not below tmp_path, whose folders are root's alone.
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        tunnel = start({"user": "nobody", "log_file": folder / "log", "svc": {
            "accept": "127.0.0.1:0", "tls": False, "connect": serve(echo).address}},
            wait_ready=False)
        eventually(lambda: any("ready" in line for line in lines(folder / "log")), "it is up")
        tunnel.signal(signal.SIGUSR1)
        tunnel.signal(signal.SIGHUP)
        eventually(lambda: any("reload" in line for line in lines(folder / "log")), "it goes on")
        assert tunnel.terminate() == 0
        assert not any("cannot open" in line for line in lines(folder / "log"))


def test_debug_shows_every_phase(relay, serve_tls):
    tunnel = relay(serve_tls(echo), options={"log_level": "debug"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert tunnel.wait_for_event("connected", service="svc")["level"] == "debug"
    lines = [e["msg"] for e in tunnel.log.find("notice", service="svc", level="debug", conn=1)]
    for phase in ("looking for its address", "connecting", "shaking hands", "established"):
        assert any(phase in line for line in lines), lines


def test_log_level_on_the_command_line_wins(relay, serve, start):
    config = {"log_level": "error", "svc": {"accept": "127.0.0.1:0", "tls": False,
                                            "connect": serve(echo).address}}
    tunnel = start(config, args=["--log-level", "debug"])
    with tunnel.connect("svc") as client:
        expect.served(tunnel, client)
    assert tunnel.wait_for_event("connected")


def test_foreground_on_the_command_line(start, serve):
    tunnel = start({"foreground": False, "svc": {
        "accept": "127.0.0.1:0", "tls": False, "connect": serve(echo).address}},
        args=["--foreground"])
    assert tunnel.terminate() == 0


def test_repeated_failures_do_not_flood_but_each_connection_is_closed(relay):
    tunnel = relay(f"127.0.0.1:{ports.free_port()}")
    for _ in range(60):
        tunnel.connect("svc").expect_reset()
    tunnel.closed(count=60, kind="connect_refused")
    assert len(tunnel.log.find("dial_failed")) < 60


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_identity_is_changed_after_binding(start, serve, tmp_path):
    import grp
    import pwd

    own, given = tmp_path / "own.sock", tmp_path / "given.sock"
    plain = {"tls": False, "connect": serve(echo).address}
    tunnel = start({"user": "nobody", "group": "nogroup",
                    "svc": {"accept": ["127.0.0.1:0", str(own)], **plain},
                    "other": {"accept": str(given), "unix_owner": "root", **plain}})
    uid, gid = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
    assert (own.stat().st_uid, own.stat().st_gid) == (uid, gid), "who the process is now"
    assert given.stat().st_uid == 0
    assert tuple(tunnel.ps.uids()) == (uid, uid, uid)
    assert tuple(tunnel.ps.gids()) == (gid, gid, gid)
    status = open(f"/proc/{tunnel.pid}/status", encoding="ascii").read()
    groups = next(line for line in status.splitlines() if line.startswith("Groups:")).split()[1:]
    assert set(groups) <= {str(gid)}
    with tunnel.connect("svc") as client:
        expect.served(tunnel, client)
    assert tunnel.terminate() == 0
