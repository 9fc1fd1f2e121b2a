# SPDX-License-Identifier: MIT
"""`tunnel probe` has the conversation of health.check with real servers, over TLS or STARTTLS."""

import json
import os
import pty
import re
import subprocess

import pytest
from harness import schema
from harness import tunnel as program
from harness.accounts import IS_ROOT
from harness.databases import Mariadb, Postgres, postgres_programs
from harness.mail import Dovecot, Postfix
from harness.process import DIE_WITH_PARENT
from harness.server import echo
from harness.services import Redis
from harness.slapd import Slapd
from harness.wait import PATIENCE

mail = pytest.mark.skipif(not IS_ROOT, reason="these servers change their users: not without root")
postgres = pytest.mark.skipif(not postgres_programs(), reason="postgres is not installed")


def needs(*names):
    return pytest.mark.needs("setpriv", *names)


@pytest.mark.parametrize("kind, at, check, starttls", [
    pytest.param(Slapd, "tls_address", "ldap", None, marks=needs("slapd")),
    pytest.param(Dovecot, "imap", "imap", "imap", marks=[mail, needs("dovecot")]),
    pytest.param(Dovecot, "pop3", "pop3", "pop3", marks=[mail, needs("dovecot")]),
    pytest.param(Postfix, "address", "smtp", "smtp", marks=[mail, needs("postfix")]),
    pytest.param(Postgres, "address", "pgsql", "pgsql", marks=[postgres, needs()]),
    pytest.param(Mariadb, "address", "mysql", "mysql",
                 marks=needs("mariadb", "mariadbd", "mariadb-install-db")),
    pytest.param(Redis, "address", "redis", None, marks=needs("redis-server"))],
    ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_at_work_is_found_at_work(run, pki, own, kind, at, check, starttls):
    service = {"accept": "127.0.0.1:1", "connect": getattr(own(kind), at),
               "tls": {"ca": pki.ca.file, "name": "server.test"}, "health": {"check": check}}
    if starttls:
        service["starttls"] = starttls
    done = run("probe", "--json", config={"svc": service})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    report = json.loads(done.stdout)
    schema.validate(report, "probe.schema.json")
    [address] = report["services"][0]["targets"][0]["addresses"]
    times = address["times"]
    # With starttls = "pgsql" the server has answered already; the check takes no time.
    assert times["check"] is not None and times["tls"] > 0 and address["problems"] == []
    assert (times["preamble"] is not None) == bool(starttls)


# On a terminal.

def on_a_terminal(folder, config):
    """What `tunnel probe` writes to a terminal, and its status."""
    path = program.write_config(folder, config)
    ours, theirs = pty.openpty()

    process = subprocess.Popen([*DIE_WITH_PARENT, str(program.BINARY), "probe", str(path)],
                               stdout=theirs, stderr=theirs, cwd=folder,
                               env={**os.environ, **program.sanitizer_environment(folder)})
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end has gone
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    return text.decode(), process.wait(PATIENCE)


def shown(text):
    """What is left on the screen: a carriage return goes back, and the rest overwrites."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells = []
        for part in line.split("\r"):
            cells[:len(part)] = part
        lines.append("".join(cells).rstrip())
    return "\n".join(lines)


def test_a_terminal_sees_how_far_it_is_and_then_no_more(serve_tls, pki, tmp_path):
    servers = [serve_tls(echo) for _ in range(3)]
    config = {"svc": {"accept": "127.0.0.1:1", "connect": [server.address for server in servers],
                      "tls": {"ca": pki.ca.file}}}
    text, status = on_a_terminal(tmp_path, config)
    assert status == 0
    for count in range(3):
        assert f"probing: {count} of 3 addresses visited" in text
    screen = shown(text)
    assert "probing" not in screen
    for server in servers:
        assert re.search(rf"^svc .*{server.address}", screen, re.MULTILINE)
    assert "3 addresses: 3 ok" in screen
    # Nothing of it for a pipe or a file.
    done = program.run(tmp_path, "probe", program.write_config(tmp_path, config))
    assert "probing" not in done.stdout + done.stderr and "\r" not in done.stdout
