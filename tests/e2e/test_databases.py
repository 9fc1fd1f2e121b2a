# SPDX-License-Identifier: MIT
"""Real database clients and servers on both sides of STARTTLS."""

import pytest
from harness.databases import Postgres, postgres_programs, psql

pytestmark = [
    pytest.mark.knows("starttls"), pytest.mark.needs("psql", "setpriv"),
    pytest.mark.skipif(not postgres_programs(), reason="postgres is not installed")]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory, pki):
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
    assert closed["kind"] == "ok" and closed["tls"], closed


def test_psql_that_insists_on_tls_is_told_no(relay, postgres):
    tunnel = relay(postgres, starttls="pgsql")
    done = psql(tunnel.address("svc"), "select 1", PGSSLMODE="require")
    assert done.returncode != 0 and "does not support SSL" in done.stderr, done.stderr


def test_wrong_password_is_the_servers_answer(relay, postgres):
    tunnel = relay(postgres, starttls="pgsql")
    done = psql(tunnel.address("svc"), "select 1", PGPASSWORD="wrong")
    assert done.returncode != 0 and "password authentication failed" in done.stderr, done.stderr


def test_checks_find_the_server_alive(relay, postgres, serve):
    mute = serve(lambda peer: peer.read_to_end())
    tunnel = relay([mute.address, postgres.address], starttls="pgsql", balance="first",
                   health={"check": "pgsql", "interval": "200ms", "timeout": "2s", "fall": 1})
    tunnel.wait_for_event("ejected", target=mute.address)
    assert psql(tunnel.address("svc"), "select 1").stdout == "1\n"
    assert tunnel.closed()["tries"] == 1
    assert not tunnel.log.find("ejected", target=postgres.address)
