# SPDX-License-Identifier: MIT
"""Real database clients and servers on both sides of STARTTLS."""

import pytest
from harness import expect
from harness.databases import (Mariadb, Postgres, mariadb, mariadb_sessions, postgres_programs, psql,
                               psql_sessions)
from harness.programs import missing

pytestmark = [pytest.mark.knows("starttls"), pytest.mark.needs("setpriv")]


needs_postgres = pytest.mark.skipif(not postgres_programs() or missing("psql"),
                                    reason="postgres is not installed")
needs_mariadb = pytest.mark.needs("mariadb", "mariadbd", "mariadb-install-db")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory, pki):
    if not postgres_programs() or missing("psql"):
        pytest.skip("postgres is not installed")
    server = Postgres(tmp_path_factory.mktemp("postgres"), pki.leaf())
    yield server
    server.stop()


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_psql_logs_in_and_asks(relay, postgres, mode):
    tunnel = relay(postgres, starttls="pgsql")
    query = "select ssl, repeat('x', 100000) from pg_stat_ssl where pid = pg_backend_pid()"
    done = psql(tunnel.address("svc"), query, PGSSLMODE=mode)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "t|" + "x" * 100_000 + "\n"
    closed = tunnel.closed()
    assert closed["kind"] == "ok" and closed["tls"], tunnel.log.text()


def test_psql_that_insists_on_tls_is_told_no(relay, postgres):
    tunnel = relay(postgres, starttls="pgsql")
    done = psql(tunnel.address("svc"), "select 1", PGSSLMODE="require")
    assert done.returncode != 0 and "does not support SSL" in done.stderr, done.stderr


def test_wrong_postgres_password_is_the_servers_answer(relay, postgres):
    tunnel = relay(postgres, starttls="pgsql")
    done = psql(tunnel.address("svc"), "select 1", PGPASSWORD="wrong")
    assert done.returncode != 0 and "password authentication failed" in done.stderr, done.stderr


def test_checks_find_postgres_alive(relay, postgres, serve):
    mute = serve(lambda peer: peer.read_to_end())
    tunnel = relay([mute.address, postgres.address], starttls="pgsql", balance="first",
                   health={"check": "pgsql", "interval": "200ms", "timeout": "2s", "fall": 1})
    tunnel.wait_for_event("ejected", target=mute.address)
    assert psql(tunnel.address("svc"), "select 1").stdout == "1\n"
    assert tunnel.closed()["tries"] == 1
    assert not tunnel.log.find("ejected", target=postgres.address)


@needs_postgres
def test_checks_leave_no_error_in_postgres_log(relay, own):
    expect.checked_in_peace(relay, own(Postgres), "pgsql", "connection received",
                            r"\b(?!LOG:)[A-Z]+:  |could not|incomplete|reset", starttls="pgsql")


PG_TROUBLE = r"\b(?!LOG:)[A-Z]+:  |could not|incomplete|reset|unexpected"


@pytest.mark.parametrize("user, seen", [("check", "connection authorized: user=check"),
                                        ("joe", "connection received")])  # who has a password
def test_checks_that_start_a_session_leave_no_error_in_postgres_log(relay, postgres, user, seen):
    expect.checked_in_peace(relay, postgres, "pgsql", seen, PG_TROUBLE, starttls="pgsql",
                            health={"user": user, "database": "postgres"})


LOGIN_CHECKS = {"interval": "200ms", "timeout": "20s", "fall": 1, "rise": 1, "user": "check"}


def test_full_postgres_is_down_until_it_has_room(relay, tmp_path, pki, keep):
    if not postgres_programs() or missing("psql"):
        pytest.skip("postgres is not installed")
    server = keep(Postgres(tmp_path, pki.leaf(), "-c", "max_connections=4",
                           "-c", "superuser_reserved_connections=1"))
    # joe may take the last place, which is kept for a superuser; check may not.
    sessions = keep(psql_sessions(server, 3))
    tunnel = relay(server, starttls="pgsql",
                   health={"check": "pgsql", "database": "postgres", **LOGIN_CHECKS})
    ejected = tunnel.wait_for_event("ejected", target=server.address)
    assert "is not at work: FATAL: 53300: " in ejected["msg"], ejected
    sessions.stop()
    tunnel.wait_for_event("restored", target=server.address)


def test_postgres_that_is_starting_up_is_down(relay, tmp_path, pki, keep):
    if not postgres_programs():
        pytest.skip("postgres is not installed")
    server = keep(Postgres(tmp_path, pki.leaf(), is_recovering=True))
    tunnel = relay(server, starttls="pgsql", health={"check": "pgsql", **LOGIN_CHECKS})
    ejected = tunnel.wait_for_event("ejected", target=server.address)
    assert "is not at work: FATAL: 57P03: " in ejected["msg"], ejected


@pytest.fixture(scope="module")
def maria(tmp_path_factory, pki):
    if absent := missing("mariadb", "mariadbd", "mariadb-install-db"):
        pytest.skip(f"{absent} is not installed")
    server = Mariadb(tmp_path_factory.mktemp("mariadb"), pki.leaf())
    yield server
    server.stop()


def test_mariadb_client_logs_in_and_asks(relay, maria):
    tunnel = relay(maria, starttls="mysql")
    done = mariadb(tunnel.address("svc"),
                   "show status like 'Ssl_version'; select repeat('x', 100000)")
    assert done.returncode == 0, done.stderr
    version, data = done.stdout.splitlines()
    assert version == "Ssl_version\tTLSv1.3" and data == "x" * 100_000
    # After COM_QUIT both sides close, the server without close_notify.
    closed = tunnel.closed()
    assert closed["kind"] == "ok" and closed["tls"], tunnel.log.text()


def test_wrong_mariadb_password_is_the_servers_answer(relay, maria):
    tunnel = relay(maria, starttls="mysql")
    done = mariadb(tunnel.address("svc"), "select 1", "wrong")
    assert done.returncode != 0 and "Access denied" in done.stderr, done.stderr


def test_checks_find_mariadb_alive(relay, maria, serve):
    mute = serve(lambda peer: peer.read_to_end())
    tunnel = relay([mute.address, maria.address], starttls="mysql", balance="first",
                   health={"check": "mysql", "interval": "200ms", "timeout": "2s", "fall": 1})
    tunnel.wait_for_event("ejected", target=mute.address)
    done = mariadb(tunnel.address("svc"), "select 1")
    assert done.stdout == "1\n", done.stderr
    assert tunnel.closed()["tries"] == 1
    assert not tunnel.log.find("ejected", target=maria.address)


@needs_mariadb
def test_checks_leave_no_more_than_a_denied_login_in_mariadbs_log(relay, own):
    """Hanging up without a login would be worse: the server counts that, and bars the host."""
    expect.checked_in_peace(relay, own(Mariadb), "mysql", "Access denied for user ''",
                            r"\[error\]|abort", starttls="mysql")


def test_checks_that_log_in_leave_nothing_in_mariadbs_log(relay, maria):
    def count():
        done = mariadb(maria.address, "show global status like 'Threads_created'; "
                       "show global status like 'Connections'", Mariadb.PASSWORD, "--ssl")
        assert done.returncode == 0, done.stderr
        return int(done.stdout.split()[-1])

    expect.checked_in_peace(relay, maria, "mysql", count, r"aborted|denied|error|warning",
                            starttls="mysql", health={"user": "check"})


def test_full_mariadb_is_down_until_it_has_room(relay, tmp_path, pki, keep):
    if absent := missing("mariadb", "mariadbd", "mariadb-install-db"):
        pytest.skip(f"{absent} is not installed")
    server = keep(Mariadb(tmp_path, pki.leaf(), "--max-connections=10"))
    sessions = keep(mariadb_sessions(server, 10))
    tunnel = relay(server, starttls="mysql", health={"check": "mysql", **LOGIN_CHECKS})
    ejected = tunnel.wait_for_event("ejected", target=server.address)
    assert "is not at work: 1040 (08004) Too many connections" in ejected["msg"], ejected
    sessions.stop()
    tunnel.wait_for_event("restored", target=server.address)
