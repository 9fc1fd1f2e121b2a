# SPDX-License-Identifier: MIT
"""Wireshark picks the right dissector for what real servers say, without being told."""

import imaplib
import poplib
import re
import smtplib

import pytest
from harness.accounts import IS_ROOT
from harness.capture import assert_no_remarks, fields, ring, tshark
from harness.databases import Mariadb, Postgres, mariadb, postgres_programs, psql
from harness.mail import DOMAIN, Dovecot, Postfix
from harness.programs import missing
from harness.services import Redis, redis_cli
from harness.wait import PATIENCE

pytestmark = [pytest.mark.needs("tshark", "setpriv"), pytest.mark.knows("starttls")]

mail = pytest.mark.skipif(not IS_ROOT, reason="these servers change their users: not without root")


@pytest.fixture
def captured(relay, tmp_path):
    """captured(target, use, ...) lets `use` talk through a tunnel and gives back the capture of that.
    It has no remark of Wireshark's, and its last packet is the end that the log tells of."""
    def captured(target, use, **service):
        tunnel = relay(target, capture={"file": f"{tmp_path}/svc.pcapng"}, **service)
        use(*tunnel.address("svc").split(":"))
        assert tunnel.closed()["kind"] == "ok", tunnel.log.text()
        assert tunnel.terminate() == 0
        [file] = ring(tmp_path)
        assert_no_remarks(file)
        # Not a byte of TLS is in it.
        assert tshark(file, "-Y", "tls") == ""
        return file
    return captured


def words(file, *names):
    """The values of fields that single packets have, each once."""
    query = " or ".join(names)
    return {word for row in fields(file, query, *names) for cell in row for word in cell.split(",")}


@mail
@pytest.mark.needs("dovecot")
def test_imap_is_read_from_its_greeting_to_its_goodbye(captured, own):
    def use(host, port):
        with imaplib.IMAP4(host, int(port), PATIENCE) as client:
            client.login("joe", Dovecot.PASSWORD)
            client.select()

    file = captured(own(Dovecot).imap, use, starttls="imap")
    assert {"CAPABILITY", "LOGIN", "SELECT", "LOGOUT"} <= words(file, "imap.request.command")
    first = fields(file, "imap", "imap.line")[0][0]
    assert first.startswith("* OK [CAPABILITY IMAP4rev1"), first


@mail
@pytest.mark.needs("dovecot")
def test_pop3_is_read_from_its_greeting_to_its_goodbye(captured, own):
    def use(host, port):
        client = poplib.POP3(host, int(port), PATIENCE)
        client.user("joe")
        client.pass_(Dovecot.PASSWORD)
        client.quit()

    file = captured(own(Dovecot).pop3, use, starttls="pop3")
    assert {"USER", "PASS", "QUIT"} <= words(file, "pop.request.command")
    assert words(file, "pop.response.indicator") == {"+OK"}


@mail
@pytest.mark.needs("postfix")
def test_smtp_is_read_from_its_greeting_to_its_message(captured, own):
    def use(host, port):
        with smtplib.SMTP(host, int(port), timeout=PATIENCE) as client:
            client.sendmail(f"joe@{DOMAIN}", [f"joe@{DOMAIN}"],
                            "Subject: hello\r\n\r\n" + 9000 * "x\r\n")

    file = captured(own(Postfix), use, starttls="smtp")
    assert {"ehlo", "mail", "rcpt", "data", "quit"} <= {
        word.lower() for word in words(file, "smtp.req.command")}
    assert fields(file, "smtp", "smtp.response.code")[0] == ["220"]
    assert words(file, "imf.subject") == {"hello"}  # put together from many packets


@pytest.mark.skipif(not postgres_programs() or missing("psql"), reason="postgres is not installed")
def test_postgresql_is_read_from_its_startup_to_its_rows(captured, own):
    def use(host, port):
        done = psql(f"{host}:{port}", "select repeat('x', 100000)")
        assert done.returncode == 0, done.stderr

    file = captured(own(Postgres), use, starttls="pgsql")
    assert "Startup message" in words(file, "pgsql.type")
    assert fields(file, "pgsql.query", "pgsql.query") == [["select repeat('x', 100000)"]]
    assert {"Data row", "Command completion", "Termination"} <= words(file, "pgsql.type")


@pytest.mark.needs("mariadb", "mariadbd", "mariadb-install-db")
def test_mysql_is_read_from_its_greeting_to_its_rows(captured, own):
    def use(host, port):
        done = mariadb(f"{host}:{port}", "select repeat('x', 100000)")
        assert done.returncode == 0, done.stderr

    file = captured(own(Mariadb), use, starttls="mysql")
    assert words(file, "mysql.user") == {"joe"}
    assert any(re.search("MariaDB", word) for word in words(file, "mysql.version"))
    assert "select repeat('x', 100000)" in {row[0] for row in
                                            fields(file, "mysql.query", "mysql.query")}
    assert not fields(file, "mysql.caps.server == 0 and mysql.login_request", "frame.number")


@pytest.mark.needs("redis-server", "redis-cli")
def test_redis_is_read_by_the_protocol_of_its_check(captured, own):
    def use(host, port):
        assert redis_cli(f"{host}:{port}", "set", "key", "x" * 100_000) == "OK\n"

    file = captured(own(Redis), use, health={"check": "redis", "interval": "1h"})
    assert {b"set".hex(), b"key".hex(), "OK"} <= words(file, "resp.string", "resp.bulk_string.value")
