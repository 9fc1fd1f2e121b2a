# SPDX-License-Identifier: MIT
"""The scripts of examples/, as people run and interrupt them."""

import os
import pathlib
import pty
import select
import signal
import subprocess
import tty

import psutil
import pytest
from harness import tunnel
from harness.process import DIE_WITH_PARENT
from harness.wait import PATIENCE, eventually

ROOT = pathlib.Path(__file__).parents[2]
# What each wants first of what it wants.
SCRIPTS = {"ldap": "slapd", "ldap-failover": "slapd", "postgresql": "postgresql",
           "smtp": "python3-aiosmtpd", "redis": "redis-server", "http": "nginx-light",
           "ssh": "openssh-server", "token": "nginx-light", "stunnel": "nginx-light",
           "runit": "nginx-light", "s6": "nginx-light", "discovery": "bind9"}


def needs(name, *programs):
    return pytest.param(name, marks=pytest.mark.needs(*programs))


pytestmark = pytest.mark.needs("setpriv", "slapd", "ldapsearch", "openssl", "dpkg-query")


class Script:
    """A script on a terminal of its own, as its foreground; its temporary files are in `folder`."""

    def __init__(self, name, folder, *arguments, **environment):
        self.folder = folder / "tmp"
        self.folder.mkdir()
        self._output = folder / "output"
        self._terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            # Where the tests run in the background, SIGINT is ignored, and would be for the script.
            [*DIE_WITH_PARENT, "env", "--default-signal=INT", "sh",
             ROOT / "examples" / name / "run.sh", *arguments],
            stdin=end, stdout=open(self._output, "wb"), stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "TUNNEL": str(tunnel.BINARY), "TMPDIR": str(self.folder),
                 **environment})
        os.close(end)

    def text(self):
        return self._output.read_text(errors="replace")

    def wait_for_text(self, text):
        eventually(lambda: text in self.text() or self.process.poll() is not None, text)
        assert text in self.text(), self.text()

    def press_ctrl_c(self):
        try:
            os.killpg(self.process.pid, signal.SIGINT)
        except ProcessLookupError:
            pass

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._terminal)


def processes_that_name(folder):
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def test_every_example_is_tried_here_and_named_in_the_readme():
    assert {script.parent.name for script in ROOT.glob("examples/*/run.sh")} == set(SCRIPTS)
    readme = (ROOT / "README.md").read_text()
    assert [folder.name for folder in (ROOT / "examples").iterdir()
            if f"(examples/{folder.name}/" not in readme] == []


@pytest.mark.parametrize("name", [
    "ldap", "ldap-failover", needs("redis", "redis-server"), needs("http", "nginx", "curl"),
    needs("ssh", "/usr/sbin/sshd", "socat"), needs("runit", "runsv", "nginx", "curl"),
    needs("discovery", "named", "nsupdate", "nginx", "curl")])
def test_two_ctrl_c_leave_nothing_behind(tmp_path, keep, name):
    script = keep(Script(name, tmp_path, "--keep"))
    script.wait_for_text("staying up")
    assert len(list(script.folder.iterdir())) == 1
    script.press_ctrl_c()
    script.press_ctrl_c()
    assert script.process.wait(PATIENCE) == 130
    assert not list(script.folder.iterdir())
    eventually(lambda: not processes_that_name(script.folder), "its processes are gone")


def test_what_a_server_has_forked_ends_with_the_script_even_if_it_does_not_want_to(tmp_path):
    """A server that forks has a group of its own; in any POSIX shell."""
    child = tmp_path / "child"
    (tmp_path / "server").write_text(
        f'sh -c \'trap "" TERM; touch "{child}"; sleep {2 * PATIENCE}; : \' & wait')
    script = f'. "{ROOT}/tests/lib/script.sh"; setsid sh "{tmp_path}/server" & pids=$!; ' \
             f'await it "$!" /dev/null test -e "{child}"'
    done = subprocess.run([*DIE_WITH_PARENT, "sh", "-c", script], stdin=subprocess.DEVNULL,
                          start_new_session=True, timeout=PATIENCE)
    assert done.returncode == 0
    eventually(lambda: not processes_that_name(child), "the child is gone")


@pytest.mark.parametrize("moment", ["a throw-away authority", "a real slapd", "the configuration"])
def test_ctrl_c_at_any_moment_leaves_nothing_behind(tmp_path, keep, moment):
    script = keep(Script("ldap", tmp_path, "--keep"))
    script.wait_for_text(moment)
    script.press_ctrl_c()
    script.press_ctrl_c()
    assert script.process.wait(PATIENCE) != 0
    assert not list(script.folder.iterdir())


def test_terminal_shows_what_a_long_command_does(tmp_path):
    """Its last line, which is gone when the command has ended, and everything if it fails."""
    terminal, end = pty.openpty()
    tty.setraw(end)
    inner = f"echo first; echo second; until [ -e {tmp_path}/seen ]; do sleep 0.1; done; exit 3"
    process = subprocess.Popen(
        [*DIE_WITH_PARENT, "sh", "-c", f'. "{ROOT}/tests/lib/script.sh"; quietly sh -c "{inner}"'],
        stdin=end, stdout=end, stderr=end, start_new_session=True)
    os.close(end)
    shown = b""

    def read():
        assert select.select([terminal], [], [], PATIENCE)[0], shown
        return os.read(terminal, 1000)

    try:
        while b"\r\x1b[Ksecond" not in shown:
            shown += read()
        (tmp_path / "seen").touch()
        while True:
            shown += read()
    except OSError:  # the terminal's other end is closed
        pass
    os.close(terminal)
    assert process.wait(PATIENCE) == 1
    assert b"\r\x1b[Kfirst\nsecond\n" in shown, shown


def fake(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_install_says_what_is_missing_and_ends(tmp_path, keep, name):
    programs = tmp_path / "bin"
    programs.mkdir()
    fake(programs, "dpkg-query", "echo not-installed")
    fake(programs, "apt-get", f"touch {tmp_path}/was-called")
    script = keep(Script(name, tmp_path, "--no-install",
                         PATH=f"{programs}:{os.environ['PATH']}"))
    assert script.process.wait(PATIENCE) == 1
    assert f"apt-get install --no-install-recommends {SCRIPTS[name]} " in script.text()
    assert not (tmp_path / "was-called").exists()
    assert not list(script.folder.iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="only root installs")
def test_what_will_be_installed_is_said_before(tmp_path, keep):
    programs = tmp_path / "bin"
    programs.mkdir()
    fake(programs, "dpkg-query", "echo not-installed")
    fake(programs, "apt-get", f'echo "$@" >>{tmp_path}/calls; echo no network >&2; exit 1')
    script = keep(Script("ldap", tmp_path, PATH=f"{programs}:{os.environ['PATH']}"))
    assert script.process.wait(PATIENCE) == 1
    text = script.text()
    assert text.index("they depend on: slapd ldap-utils") < text.index("no network"), text
    assert len((tmp_path / "calls").read_text().splitlines()) == 1  # it ends there
    assert not list(script.folder.iterdir())
