# SPDX-License-Identifier: MIT
"""The main job: a real directory server behind the tunnel, OpenLDAP's own clients in front."""

import subprocess

import pytest
from harness.slapd import PASSWORD, SUFFIX, ADMIN, Slapd, modify, search

pytestmark = pytest.mark.needs("slapd", "ldapsearch", "ldapmodify")

PEOPLE = 10_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory, pki):
    slapd = Slapd(tmp_path_factory.mktemp("directory"), pki.leaf(), people=PEOPLE)
    yield slapd
    slapd.stop()


def test_search(relay, directory):
    tunnel = relay(directory.tls_address)
    out = search(tunnel.address("svc"), "(uid=user00042)", "mail")
    assert b"mail: user00042@example.test" in out
    closed = tunnel.closed()
    assert closed["kind"] == "ok"
    assert closed["bytes_up"] > 0 and closed["bytes_down"] > 0


def test_ten_thousand_entries_are_the_same_bytes(relay, directory):
    tunnel = relay(directory.tls_address)
    direct = search(directory.plain_address)
    assert direct.count(b"\ndn: uid=user") == PEOPLE
    assert search(tunnel.address("svc")) == direct


def test_modify_and_read_back(relay, directory):
    tunnel = relay(directory.tls_address)
    address = tunnel.address("svc")
    dn = f"uid=user00007,ou=people,{SUFFIX}"
    modify(address, f"dn: {dn}\nchangetype: modify\nreplace: title\ntitle: Agent\n")
    assert b"title: Agent" in search(address, "(uid=user00007)")
    modify(address, f"dn: {dn}\nchangetype: modify\ndelete: title\n")
    assert b"title:" not in search(address, "(uid=user00007)")
    tunnel.closed(count=4, kind="ok")


def test_searches_at_the_same_time(relay, directory):
    tunnel = relay(directory.tls_address)
    argv = ["ldapsearch", "-x", "-LLL", "-H", f"ldap://{tunnel.address('svc')}", "-b", SUFFIX,
            "(uid=user000*)", "uid"]
    searches = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(8)]
    for running in searches:
        out, _ = running.communicate(timeout=120)
        assert running.returncode == 0
        assert out.count(b"\nuid: ") == 100


def test_wrong_password_is_the_servers_answer(relay, directory):
    tunnel = relay(directory.tls_address)
    where = f"ldap://{tunnel.address('svc')}"
    for password, status in ((PASSWORD, 0), ("wrong", 49)):
        done = subprocess.run(["ldapwhoami", "-x", "-H", where, "-D", ADMIN, "-w", password],
                              capture_output=True, timeout=60)
        assert done.returncode == status
