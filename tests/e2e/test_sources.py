# SPDX-License-Identifier: MIT
"""Plaintext that does not come from a listening address: standard input and output, and programs."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest
from harness import ports, tunnel
from harness.peer import Peer
from harness.process import DIE_WITH_PARENT, start_on_free_port
from harness.server import echo
from harness.wait import PATIENCE, eventually

BIG = os.urandom(1 << 20) * 3


def reverse(peer):
    """Answers when it has heard everything."""
    end = peer.read_to_end()
    peer.send(end.data[::-1])
    peer.half_close()


@pytest.fixture
def stdio(tmp_path, pki, keep):
    """stdio(server, popen keys...) starts a tunnel on the given descriptors; .process, .log()."""

    class Stdio:
        def __init__(self, server, options=None, keys=None, foreground=True, **popen):
            self.log_file = tmp_path / f"log.{os.urandom(3).hex()}"
            config = {
                "foreground": foreground, "log_format": "json", "log_file": str(self.log_file),
                **(options or {}),
                "svc": {"accept": "stdio", "connect": getattr(server, "address", server),
                        "tls": {"ca": pki.ca.file}, **(keys or {})}}
            path = tunnel.write_config(tmp_path, config, f"{os.urandom(3).hex()}.toml")
            popen.setdefault("stderr", subprocess.PIPE)
            self.process = subprocess.Popen(
                [*DIE_WITH_PARENT, str(tunnel.BINARY), str(path)], cwd=tmp_path,
                env={**os.environ, **tunnel.sanitizer_environment(tmp_path)}, **popen)

        def events(self, event):
            lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
            return [e for e in map(json.loads, lines) if e["event"] == event]

        def wait_for(self, event):
            return eventually(lambda: self.events(event), f"the log has {event}")[0]

        def exit_status(self):
            status = self.process.wait(PATIENCE)
            tunnel.assert_no_sanitizer_report(tmp_path)
            return status

        def stop(self):
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                if stream:
                    stream.close()

    return lambda *args, **kwargs: keep(Stdio(*args, **kwargs))


PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def test_stdio_over_pipes_carries_everything_and_both_ends(stdio, serve_tls):
    client = stdio(serve_tls(reverse), **PIPES)
    out, err = client.process.communicate(BIG, timeout=PATIENCE)
    assert out == BIG[::-1]
    assert err == b""
    assert client.exit_status() == 0
    closed = client.events("closed")[0]
    assert (closed["kind"], closed["client"]) == ("ok", "stdio")
    assert closed["bytes_up"] == closed["bytes_down"] == len(BIG)


def test_stdio_answers_while_standard_input_stays_open(stdio, serve_tls):
    client = stdio(serve_tls(echo), **PIPES)
    for text in (b"one", b"two"):
        client.process.stdin.write(text)
        client.process.stdin.flush()
        assert client.process.stdout.read(len(text)) == text
    client.process.stdin.close()
    assert client.process.stdout.read() == b""
    assert client.exit_status() == 0


def test_stdio_server_ends_first_and_still_hears_the_client(stdio, serve_tls):
    def script(peer):
        peer.send(b"first")
        peer.half_close()
        heard.append(peer.read_to_end().data)

    heard = []
    server = serve_tls(script)
    client = stdio(server, **PIPES)
    assert client.process.stdout.read() == b"first"  # up to its end
    client.process.stdin.write(b"and more")
    client.process.stdin.close()
    assert client.exit_status() == 0
    server.wait_until_scripts_end()
    assert heard == [b"and more"]


def test_stdio_works_with_files(stdio, serve_tls, tmp_path):
    (tmp_path / "request").write_bytes(BIG)
    with open(tmp_path / "request", "rb") as request, open(tmp_path / "answer", "wb") as answer:
        client = stdio(serve_tls(reverse), stdin=request, stdout=answer)
        assert client.exit_status() == 0
    assert (tmp_path / "answer").read_bytes() == BIG[::-1]


def test_stdio_works_with_nothing_at_all(stdio, serve_tls):
    client = stdio(serve_tls(reverse), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert client.exit_status() == 0
    assert client.events("closed")[0]["kind"] == "ok"


def test_stdio_works_with_a_socket_for_each_direction(stdio, serve_tls):
    mine_in, its_in = socket.socketpair()
    mine_out, its_out = socket.socketpair()
    with mine_in, mine_out:
        with its_in, its_out:
            client = stdio(serve_tls(reverse), stdin=its_in, stdout=its_out)
        mine_in.sendall(b"hello")
        mine_in.shutdown(socket.SHUT_WR)
        assert Peer(mine_out).read_to_end().data == b"olleh"
        assert client.exit_status() == 0


@pytest.fixture
def inetd(stdio):
    """inetd(server) gives (tunnel, client): the tunnel has an accepted TCP socket as 0, 1 and 2."""

    def inetd(server, **kwargs):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            mine = socket.create_connection(listener.getsockname())
            with listener.accept()[0] as accepted:
                process = stdio(server, stdin=accepted, stdout=accepted, stderr=accepted, **kwargs)
        return process, Peer(mine)

    return inetd


def test_stdio_under_inetd_is_the_clients_own_socket(inetd, serve_tls):
    process, client = inetd(serve_tls(reverse))
    name = client.sock.getsockname()
    client.send(BIG)
    client.half_close()
    assert client.expect_eof() == BIG[::-1]
    assert process.exit_status() == 0
    assert process.events("closed")[0]["client"] == f"127.0.0.1:{name[1]}"


@pytest.mark.parametrize("foreground", [True, False])
def test_stdio_under_inetd_logs_nothing_to_the_client(inetd, serve_tls, foreground):
    process, client = inetd(serve_tls(echo), foreground=foreground,
                            options={"log_file": "stderr"} if foreground else None)
    client.send(b"x")
    client.half_close()
    assert client.expect_eof() == b"x"
    assert process.exit_status() == 0


def test_stdio_under_inetd_resets_the_client_when_no_target_is_there(inetd):
    process, client = inetd(f"127.0.0.1:{ports.free_port()}")
    client.expect_reset()
    assert process.exit_status() == 1
    assert process.events("closed")[0]["kind"] == "connect_refused"


def test_stdio_under_inetd_obeys_allow(inetd, serve_tls):
    process, client = inetd(serve_tls(echo), keys={"allow": ["10.0.0.0/8"]})
    client.expect_reset()
    assert process.exit_status() == 1
    assert process.events("closed")[0]["kind"] == "client_denied"


@pytest.fixture
def stdio_config(tmp_path, pki):
    """stdio_config(server) writes a configuration for others to run the tunnel with."""

    def stdio_config(server):
        return tunnel.write_config(tmp_path, {
            "foreground": True, "log_level": "warning",
            "svc": {"accept": "stdio", "connect": server.address, "tls": {"ca": pki.ca.file}}})

    return stdio_config


@pytest.mark.needs("ssh")
def test_stdio_is_a_proxy_command_of_ssh(serve_tls, stdio_config, tmp_path):
    def script(peer):
        peer.send(b"SSH-2.0-something\r\n")
        heard.append(peer.recv())
        peer.half_close()
        peer.read_to_end()

    heard = []
    command = f"{tunnel.BINARY} {stdio_config(serve_tls(script))}"
    done = subprocess.run(
        [*DIE_WITH_PARENT, "ssh", "-F", "none", "-o", f"ProxyCommand={command}", "-o",
         f"UserKnownHostsFile={tmp_path}/hosts", "-o", "BatchMode=yes", "user@host.invalid"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        env={**os.environ, **tunnel.sanitizer_environment(tmp_path)})
    assert heard[0].startswith(b"SSH-2.0-OpenSSH")
    assert done.returncode == 255
    assert "SSH" not in done.stdout
    assert "ERROR" not in done.stderr  # nothing but ssh's own word that the server has left
    tunnel.assert_no_sanitizer_report(tmp_path)


@pytest.mark.parametrize("foreground", [True, False])
def test_stdio_says_on_standard_error_why_it_failed(stdio, foreground, pki):
    """ssh's users see nothing else of their ProxyCommand."""
    target = f"127.0.0.1:{ports.free_port()}"
    client = stdio(target, foreground=foreground, **PIPES)
    out, err = client.process.communicate(b"hello", timeout=PATIENCE)
    assert client.exit_status() == 1
    assert out == b""
    said = err.decode()
    assert said.startswith(f"tunnel: error: cannot connect to {target}: ") and "refused" in said, said
    assert said.count("\n") == 1


def test_stdio_that_fails_in_mid_connection_says_so_on_standard_error(stdio, serve_tls):
    def script(peer):
        peer.send(b"half of")
        peer.reset()

    client = stdio(serve_tls(script), options={"log_file": "syslog"}, **PIPES)
    # Its input stays open: where the client's end comes first, and the reset before the server's bytes
    # are read, all is in order.
    err = client.process.stderr.read().decode()
    assert client.exit_status() == 1
    assert "tunnel: error: " in err and "reset" in err, err


@pytest.mark.needs("socat")
def test_stdio_serves_each_client_of_socat(serve_tls, stdio_config, tmp_path, keep):
    def socat(port):
        # Without -t it waits half a second for the answer after the question has ended.
        return ["socat", "-t60", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr",
                f"EXEC:{tunnel.BINARY} {stdio_config(serve_tls(reverse))}"]

    server, port = start_on_free_port(socat, tmp_path, "socat")
    keep(server)
    clients = [Peer.connect(f"127.0.0.1:{port}") for _ in range(3)]
    for number, client in enumerate(clients):
        client.send(b"client %d" % number)
        client.half_close()
    for number, client in enumerate(clients):
        assert client.expect_eof() == (b"client %d" % number)[::-1]


def test_stdio_fails_with_status_1_when_no_target_is_there(stdio):
    client = stdio(f"127.0.0.1:{ports.free_port()}", **PIPES)
    assert client.process.stdout.read() == b""
    assert client.exit_status() == 1


def test_stdio_fails_with_status_1_when_the_server_breaks_off(stdio, serve_tls):
    def script(peer):
        peer.send(b"half an ans")
        peer.fin()  # without close_notify

    client = stdio(serve_tls(script), **PIPES)
    assert client.process.stdout.read() == b"half an ans"
    assert client.exit_status() == 1
    assert client.events("closed")[0]["kind"] == "truncated"


def test_stdio_resets_the_server_when_nobody_reads_standard_output(stdio, serve):
    def script(peer):
        try:
            while True:
                peer.send(b"x" * 65536)
        except ConnectionError as error:
            seen.append(error)

    seen = []
    server = serve(script)
    client = stdio(server, keys={"tls": False}, **PIPES)
    assert client.process.stdout.read(10) == b"x" * 10
    client.process.stdout.close()
    assert client.exit_status() == 1
    server.wait_until_scripts_end()
    assert seen


def test_stdio_holds_back_a_server_when_standard_output_is_slow(stdio, serve):
    """What nobody reads must not pile up in the tunnel."""

    def script(peer):
        peer.sock.settimeout(None)
        for _ in range(1024):
            peer.send(b"y" * 65536)
            sent.append(1)
        peer.half_close()
        peer.read_to_end()

    sent = []
    server = serve(script)
    client = stdio(server, keys={"tls": False}, **PIPES)

    def is_held_back():
        before = len(sent)
        threading.Event().wait(0.2)
        return before and len(sent) == before

    eventually(is_held_back, "the server cannot send any more")
    assert len(sent) < 1024
    client.process.stdin.close()
    assert len(client.process.stdout.read()) == 1024 * 65536
    assert client.exit_status() == 0


def test_stdio_rests_while_the_last_bytes_wait_for_a_slow_reader(stdio, serve):
    """The connection is over, the pipe is full: waiting for it must cost nothing."""
    data = b"z" * 150_000  # more than a pipe takes, less than pipe, buffer and socket together

    def script(peer):
        peer.send(data)
        peer.half_close()
        peer.read_to_end()

    client = stdio(serve(script), keys={"tls": False}, **PIPES)
    client.process.stdin.close()
    assert client.wait_for("closed")["kind"] == "ok"
    used = psutil.Process(client.process.pid).cpu_times
    before = sum(used()[:2])
    threading.Event().wait(0.5)
    assert sum(used()[:2]) - before < 0.2
    assert client.process.poll() is None
    assert client.process.stdout.read() == data
    assert client.exit_status() == 0


def test_stdio_that_nobody_reads_ends_with_the_second_signal(stdio, serve):
    def script(peer):
        peer.send(b"z" * (1 << 20))
        peer.read_to_end()

    client = stdio(serve(script), keys={"tls": False}, **PIPES)
    assert client.process.stdout.read(1) == b"z"
    client.process.send_signal(signal.SIGTERM)
    client.wait_for("draining")
    client.process.send_signal(signal.SIGTERM)
    assert client.exit_status() == 1


def test_stdio_never_becomes_a_daemon_and_writes_no_pid_file(stdio, serve_tls, tmp_path):
    client = stdio(serve_tls(echo), foreground=False, options={"pid_file": str(tmp_path / "pid")},
                   **PIPES)
    client.process.stdin.write(b"x")
    client.process.stdin.flush()
    assert client.process.stdout.read(1) == b"x"
    assert client.process.poll() is None
    assert not (tmp_path / "pid").exists()
    client.process.stdin.close()
    assert client.exit_status() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stdio_ends_on_a_signal_once_it_is_idle(stdio, serve_tls, number):
    client = stdio(serve_tls(echo), **PIPES)
    client.process.stdin.write(b"x")
    client.process.stdin.flush()
    assert client.process.stdout.read(1) == b"x"
    client.process.send_signal(number)
    assert client.process.stdout.read() == b""
    assert client.exit_status() == 0


def test_stdio_refuses_a_listening_socket(stdio, serve_tls):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = stdio(serve_tls(echo), stdin=listener, stdout=listener)
        assert client.exit_status() == 1
        assert b"standard input is a listening socket" in client.process.stderr.read()


# --- programs ----------------------------------------------------------------------------------


@pytest.fixture
def program(relay, tmp_path):
    """program(server, script, **keys): a tunnel whose plaintext side is a Python script."""

    def program(server, script, **keys):
        path = tmp_path / "program.py"
        path.write_text("import os, signal, socket, sys, time\n" + script)
        keys = {"accept": None, "exec": sys.executable, "exec_args": [str(path)], **keys}
        return relay(server, **keys)

    return program


def heard_by(serve_tls):
    """A server that keeps what each client said, and that list."""
    heard = []

    def script(peer):
        heard.append(peer.read_to_end().data)
        peer.send(b"answer %d" % len(heard))
        peer.half_close()

    return serve_tls(script), heard


TALK = """
sock = socket.socket(fileno=os.dup(0))
sock.sendall(b"question")
sock.shutdown(socket.SHUT_WR)
answer = b""
while data := sock.recv(4096):
    answer += data
"""


def test_exec_talks_through_its_standard_input_and_output(program, serve_tls, tmp_path):
    server, heard = heard_by(serve_tls)
    tunnel_ = program(server, TALK + f"open({str(tmp_path / 'got')!r}, 'wb').write(answer)\n"
                      "sys.exit(3)\n")
    closed = tunnel_.closed()
    assert (closed["kind"], closed["client"]) == ("ok", sys.executable)
    assert heard == [b"question"]
    tunnel_.log.wait_for("notice", msg=lambda m: m.endswith("ended with status 3"))
    assert (tmp_path / "got").read_bytes() == b"answer 1"
    tunnel_.log.wait_for("notice", msg=lambda m: m.startswith("the service has finished"))
    assert tunnel_.process.poll() is None  # the process goes on until it is told
    assert tunnel_.terminate() == 0
    assert len(heard) == 1


def test_exec_runs_the_program_again_after_retry(program, serve_tls):
    server, heard = heard_by(serve_tls)
    tunnel_ = program(server, TALK, retry="50ms")
    tunnel_.closed(3)
    assert heard[:3] == [b"question"] * 3
    assert tunnel_.terminate() == 0


def test_exec_runs_again_when_no_target_was_there(program):
    tunnel_ = program(f"127.0.0.1:{ports.free_port()}", "sys.exit(len(sys.stdin.buffer.read()))",
                      retry="50ms")
    assert tunnel_.closed(2)["kind"] == "connect_refused"
    assert tunnel_.terminate() == 0


def test_exec_gives_the_program_three_descriptors_and_a_clean_signal_state(program, serve_tls,
                                                                           tmp_path):
    server, heard = heard_by(serve_tls)
    report = tmp_path / "report"
    tunnel_ = program(server, f"""
fds = [n for n in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + n)]
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
text = "%s %s %s" % (",".join(sorted(fds)), status["SigBlk"].strip(), sys.argv[1:])
open({str(report)!r}, "w").write(text)
""" + TALK, exec_args=[str(tmp_path / "program.py"), "two words", "$0"])
    tunnel_.closed()
    fds, blocked, arguments = report.read_text().split(" ", 2)
    assert fds == "0,1,2"
    assert int(blocked, 16) == 0
    assert arguments == "['two words', '$0']"


def test_exec_name_is_argument_0(relay, serve_tls):
    server, heard = heard_by(serve_tls)
    tunnel_ = relay(server, accept=None, exec="/bin/sh", exec_name="other", exec_args=["-c", "echo $0"])
    tunnel_.closed()
    assert heard == [b"other\n"]


def test_exec_program_of_a_failed_connection_is_terminated(program, serve_tls):
    def script(peer):
        peer.recv()
        peer.fin()  # without close_notify

    tunnel_ = program(serve_tls(script), "os.write(1, b'x')\nsys.stdin.buffer.read()\n"
                      "while True: signal.pause()\n")
    assert tunnel_.closed()["kind"] == "truncated"
    tunnel_.log.wait_for("notice", msg=lambda m: "was killed by signal 15" in m)


def test_exec_program_may_take_its_time_after_an_orderly_end(program, serve_tls, tmp_path):
    server, _ = heard_by(serve_tls)
    tunnel_ = program(server, TALK + "sock.close(); os.close(0); os.close(1)\n"
                      "while True: signal.pause()\n")
    tunnel_.closed(kind="ok")
    pid = tunnel_.ps.children()[0].pid
    assert tunnel_.terminate() == 0  # ends the program, too
    assert tunnel_.log.find("notice", msg=lambda m: "was killed by signal 15" in m)
    assert not os.path.exists(f"/proc/{pid}")


def test_exec_program_that_cannot_be_run_is_said(relay, serve_tls, tmp_path):
    server, _ = heard_by(serve_tls)
    path = tmp_path / "broken"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    tunnel_ = relay(server, accept=None, exec=str(path))
    tunnel_.log.wait_for("notice", level="error", msg=lambda m: f"cannot run {path}" in m)
    assert tunnel_.terminate() == 0
