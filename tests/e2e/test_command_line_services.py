# SPDX-License-Identifier: MIT
"""Services without a file: --service; and who is told that they are up: --ready-fd."""

import os
import signal
import socket
import subprocess

import pytest
from harness import ports
from harness.peer import Peer
from harness.process import DIE_WITH_PARENT
from harness.server import echo
from harness.tunnel import BINARY, assert_no_sanitizer_report, sanitizer_environment
from harness.wait import PATIENCE


@pytest.fixture
def launch(tmp_path, stack):
    """launch(*arguments, **Popen's) runs the program without a file."""

    def launch(*arguments, **kwargs):
        process = subprocess.Popen(
            [*DIE_WITH_PARENT, BINARY, *map(str, arguments)], cwd=tmp_path, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **sanitizer_environment(tmp_path),
                 "XDG_RUNTIME_DIR": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path)}, **kwargs)
        stack.callback(end, process)
        return process

    def end(process):
        process.kill()
        process.wait()
        process.stderr.close()
        assert_no_sanitizer_report(tmp_path)

    return launch


def wait_for_line(descriptor):
    """What comes on the pipe until its end: nothing when the process has died before."""
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


def test_a_service_without_a_file_is_verified_like_any_other(launch, serve_tls):
    """The certificate of the test's own authority is not in the system's store."""
    port = ports.free_port()
    process = launch("-f", "--service", f"svc=127.0.0.1:{port},{serve_tls(echo).address}")
    assert any(" ready: " in line for line in iter(process.stderr.readline, ""))
    with Peer.connect(f"127.0.0.1:{port}") as client:
        client.expect_reset()
    assert any("cert_untrusted" in line for line in iter(process.stderr.readline, ""))


def test_it_is_reached_by_the_name_of_the_service(launch, serve, run, tmp_path):
    port = ports.free_port()
    reading, writing = os.pipe()
    launch("-f", "--ready-fd", writing, "--service", f"svc=127.0.0.1:{port},{serve(echo).address}",
          pass_fds=[writing])
    os.close(writing)
    assert wait_for_line(reading) == b"\n"
    done = run("status", "svc", env={"XDG_RUNTIME_DIR": str(tmp_path),
                                     "RUNTIME_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert f"127.0.0.1:{port}" in done.stdout


def test_a_supervisor_gets_one_line_when_every_listener_is_bound(launch):
    port = ports.free_port()
    reading, writing = os.pipe()
    process = launch("-f", "--ready-fd", writing, "--service",
                     f"svc=127.0.0.1:{port},127.0.0.1:{ports.free_port()}", pass_fds=[writing])
    os.close(writing)
    assert wait_for_line(reading) == b"\n"
    with socket.create_connection(("127.0.0.1", port)):
        pass
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) in (0, 1)


def test_a_supervisor_gets_nothing_from_a_start_that_fails(launch, serve):
    port = ports.free_port()
    reading, writing = os.pipe()
    with socket.create_server(("127.0.0.1", port)):
        process = launch("-f", "--ready-fd", writing, "--service",
                        f"svc=127.0.0.1:{port},{serve(echo).address}", pass_fds=[writing])
        os.close(writing)
        assert wait_for_line(reading) == b""
        assert process.wait(PATIENCE) == 1
