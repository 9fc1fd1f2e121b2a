# SPDX-License-Identifier: MIT
"""Real database clients and servers on both sides of STARTTLS."""

import pytest
from harness import expect
from harness.databases import Mariadb, Postgres, mariadb, postgres_programs, psql
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
