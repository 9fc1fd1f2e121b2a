# SPDX-License-Identifier: MIT
"""Without `foreground`: the caller's exit status tells whether the service is up."""

import json
import os
import signal
import subprocess

import psutil
import pytest
from harness import netns, ports, process
from harness.peer import Peer
from harness.process import DIE_WITH_PARENT
from harness.server import echo
from harness.tunnel import (BINARY, Tunnel, assert_no_sanitizer_report, sanitizer_environment,
                            write_config)
from harness.wait import PATIENCE, eventually

needs_namespaces = pytest.mark.skipif(not netns.is_possible(), reason="no namespaces")


@pytest.fixture
def daemon(run, serve, tmp_path, stack):
    """daemon(accept, tls, **global keys) starts one and returns (result of the caller, pid or None)."""

    def daemon(accept=None, tls=False, **options):
        config = {"pid_file": tmp_path / "pid", "log_file": tmp_path / "log",
                  "log_format": "json", **options,
                  "svc": {"accept": accept or f"127.0.0.1:{ports.free_port()}", "tls": tls,
                          "connect": serve(echo).address}}
        done = run(config=config)
        pid = int((tmp_path / "pid").read_text()) if (tmp_path / "pid").exists() else None
        if pid:
            stack.callback(end, pid, tmp_path)
        return done, pid

    return daemon


def end(pid, folder):
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    assert_no_sanitizer_report(folder)


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_it_is_up_when_the_caller_returns(daemon, tmp_path):
    address = f"127.0.0.1:{ports.free_port()}"
    done, pid = daemon(accept=address)
    assert done.returncode == 0, done.stderr
    with Peer.connect(address) as client:
        client.send(b"hello")
        assert client.recv_exact(5) == b"hello"
    assert (tmp_path / "pid").read_text() == f"{pid}\n"
    os.kill(pid, signal.SIGTERM)
    assert process.wait_for_exit(pid) == 0
    assert not (tmp_path / "pid").exists()
    words = [e["event"] for e in events(tmp_path / "log")]
    assert "ready" in words and words[-1] == "stopped"


def test_the_caller_is_told_the_process_and_the_log(daemon, tmp_path):
    done, pid = daemon()
    assert done.stderr == f"tunnel: running as process {pid}; the log goes to {tmp_path}/log\n"


def test_the_caller_sees_what_the_log_warns_of(daemon, tmp_path):
    done, _ = daemon(tls={"verify": "none"})
    warning, running = done.stderr.splitlines()
    assert warning.startswith('tunnel: warning: [svc] tls.verify = "none": the server is not verified')
    assert running.startswith("tunnel: running as process")
    # The log's thread may write a moment later.
    eventually(lambda: any(e["level"] == "warning" and "tls.verify" in e["msg"]
                           for e in events(tmp_path / "log")), "the log has it, too")


@pytest.fixture
def start(tmp_path, stack, serve):
    """start(prefix) runs the prefix with a daemon's command line behind it, which has no log_file."""

    def start(prefix):
        config = write_config(tmp_path, {
            "pid_file": tmp_path / "pid",
            "svc": {"accept": "127.0.0.1:0", "tls": False, "connect": serve(echo).address}})
        done = subprocess.run([*DIE_WITH_PARENT, *map(str, prefix), str(BINARY), str(config)],
                              capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, **sanitizer_environment(tmp_path)})
        pid = int((tmp_path / "pid").read_text())
        stack.callback(end, pid, tmp_path)
        return done, pid

    return start


# Hides a syslog that the machine may have.
NO_SYSLOG = ["unshare", "--mount", "sh", "-c",
             'if [ -e /dev/log ]; then mount --bind /dev/null /dev/log || exit 77; fi; exec "$@"', "sh"]


@pytest.mark.skipif(not netns.can_mount(), reason="no mount namespaces")
def test_a_log_without_syslog_is_said_to_be_lost(start, tmp_path):
    done, pid = start(NO_SYSLOG)
    assert done.returncode == 0
    lost, running = done.stderr.splitlines()
    assert lost.startswith("tunnel: warning: no syslog daemon at /dev/log: ")
    assert lost.endswith(", so the log is lost; set log_file to a path or \"journal\" in "
                         f"{tmp_path}/tunnel.toml, or foreground = true")
    assert running == f"tunnel: running as process {pid}; the log goes to syslog"


def test_a_supervisor_that_waits_for_its_child_is_a_warning(start, tmp_path):
    """runit starts a daemon again each second, whose address is then in use."""
    runsv = tmp_path / "runsv"
    runsv.write_text('#!/bin/sh\n"$@"\nexit $?\n')
    runsv.chmod(0o755)
    done, _ = start([runsv])
    assert done.returncode == 0
    assert done.stderr.startswith(
        "tunnel: warning: runsv has started this process and waits for it to stay, but it becomes a "
        f"daemon; set foreground = true in {tmp_path}/tunnel.toml, or start it with --foreground\n")


@needs_namespaces
def test_process_1_stays_in_the_foreground(tmp_path, serve, keep):
    """In a container there is nothing else to wait for."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    tunnel = keep(Tunnel(tmp_path, {
        "foreground": False, "svc": {"accept": "127.0.0.1:0", "tls": False,
                                     "connect": serve(echo).address}}, prefix=unshare))
    (inner,) = tunnel.ps.children()
    inner.send_signal(signal.SIGHUP)
    assert "restart" not in tunnel.wait_for_event("reloaded")["msg"]
    inner.terminate()
    assert tunnel.wait_for_exit() == 0


def test_it_is_a_proper_daemon(daemon):
    done, pid = daemon()
    assert done.returncode == 0, done.stderr
    it = psutil.Process(pid)
    assert it.terminal() is None
    assert os.getsid(pid) != os.getsid(0)
    for number in (0, 1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{number}") == "/dev/null"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_it_still_ends_properly_under_another_identity(daemon, tmp_path):
    """The pid file lies where the new identity cannot write; at worst it stays, it never fails."""
    done, pid = daemon(user="nobody", group="nogroup")
    assert done.returncode == 0, done.stderr
    assert psutil.Process(pid).username() == "nobody"
    os.kill(pid, signal.SIGTERM)
    assert process.wait_for_exit(pid) == 0


def test_port_in_use_is_the_callers_failure(daemon, serve, tmp_path):
    taken = serve(echo).address
    done, pid = daemon(accept=taken)
    assert done.returncode == 1
    assert taken in done.stderr and "already" in done.stderr
    assert pid is None


def test_broken_configuration_is_the_callers_failure(daemon):
    done, pid = daemon(log_level="loud")
    assert done.returncode == 2
    assert "log_level" in done.stderr
    assert pid is None


def test_log_file_that_cannot_be_written_is_the_callers_failure(daemon, tmp_path):
    done, pid = daemon(log_file=tmp_path / "no such folder" / "log")
    assert done.returncode in (1, 2)
    assert "no such folder" in done.stderr
    assert pid is None


def test_log_files_are_reopened(daemon, tmp_path):
    done, pid = daemon()
    assert done.returncode == 0, done.stderr
    (tmp_path / "log").rename(tmp_path / "log.1")
    os.kill(pid, signal.SIGUSR1)
    eventually((tmp_path / "log").exists, "the log is opened anew")


def test_a_daemon_that_was_given_a_relative_path_reads_its_file_again(serve, tmp_path, stack):
    port, target = ports.free_port(), serve(echo).address

    def write(**keys):
        return write_config(tmp_path, {"pid_file": "pid", "log_file": "log", "log_format": "json",
                                       "svc": {"accept": f"127.0.0.1:{port}", "tls": False,
                                               "connect": target, **keys}})

    path = write()
    done = subprocess.run([*DIE_WITH_PARENT, str(BINARY), "--control", "socket", path.name],
                          cwd=tmp_path, env=sanitizer_environment(tmp_path), capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    pid = int((tmp_path / "pid").read_text())
    stack.callback(end, pid, tmp_path)
    write(timeouts={"idle": "1h"})
    os.kill(pid, signal.SIGHUP)
    eventually(lambda: any(e["event"].startswith("reload") for e in events(tmp_path / "log")),
               "a reload was logged")
    line = next(e for e in events(tmp_path / "log") if e["event"].startswith("reload"))
    assert line["event"] == "reloaded", line["msg"]
    assert "svc: timeouts.idle changed" in line["msg"] and "restart" not in line["msg"]


def test_relative_paths_survive_the_change_of_folder(daemon, tmp_path):
    done, pid = daemon(pid_file="pid", log_file="log")
    assert done.returncode == 0, done.stderr
    os.kill(pid, signal.SIGTERM)
    assert process.wait_for_exit(pid) == 0
    assert not (tmp_path / "pid").exists()
    assert events(tmp_path / "log")[-1]["event"] == "stopped"
