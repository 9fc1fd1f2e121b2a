# SPDX-License-Identifier: MIT
"""Servers fail in every way while directory searches go on."""

import re
import signal
import ssl
import threading

import pytest
from harness import expect
from harness.ports import free_port
from harness.server import FullBacklog, echo, silent
from harness.slapd import Slapd, search
from harness.wait import PATIENCE, eventually


# One connection, whose first target fails in some phase: it goes on to the second, and loses nothing.

def refusing(request):
    return f"127.0.0.1:{free_port()}"


def black_hole(request):
    return request.getfixturevalue("keep")(FullBacklog()).address


def mute(request):
    return request.getfixturevalue("serve")(silent).address


def plaintext(request):
    return request.getfixturevalue("serve")(lambda p: p.send(b"220 hello\r\n")).address


def hanging_up(request):
    return request.getfixturevalue("serve")(lambda p: p.recv() and None).address


def certificate(label):
    def bad(request):
        pki = request.getfixturevalue("pki")
        return request.getfixturevalue("serve_tls")(echo, getattr(pki, label)).address

    return bad


def old_version(request):
    return request.getfixturevalue("serve_tls")(
        echo, minimum=ssl.TLSVersion.TLSv1, maximum=ssl.TLSVersion.TLSv1_1).address


def unknown_name(request):
    return "unknown.test:636"


@pytest.mark.parametrize("fails, kind", [
    (refusing, "connect_refused"), (black_hole, "connect_timeout"), (mute, "tls_timeout"),
    (plaintext, "not_tls"), (hanging_up, "tls_closed"), (certificate("expired"), "cert_expired"),
    (certificate("wrong_name"), "cert_name_mismatch"), (old_version, "tls_version"),
    (certificate("untrusted"), "cert_untrusted"), (unknown_name, "resolve_failed"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_failure_in_any_phase_goes_on_to_the_next_target(request, relay, dns, serve_tls, fails, kind):
    bad, good = fails(request), serve_tls(echo)
    tunnel = relay([bad, good.address], balance="first", options={"dns_servers": [dns.address]},
                   timeouts={"connect": "300ms", "handshake": "3s"})
    client = tunnel.connect("svc")
    client.send(b"sent before anybody could be reached; ")
    closed = expect.served_to_the_end_after(tunnel, client,
                                            b"sent before anybody could be reached; ")
    assert closed["tries"] == 2
    assert closed["target"] == good.address
    if kind != "resolve_failed":  # a local cause ejects nobody
        assert tunnel.wait_for_event("ejected", target=bad)["kind"] == kind


def test_ejection_says_why_when_the_next_target_serves(relay, serve_tls):
    bad, good = f"127.0.0.1:{free_port()}", serve_tls(echo)
    tunnel = relay([bad, good.address], balance="first",
                   health={"eject_time": "1h", "eject_max": "1h"})
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    said = tunnel.wait_for_event("ejected", target=bad)["msg"]
    assert said.startswith(f"{bad} ejected for ") and "refused" in said, said
    assert not re.search(r"\dms", said), "the exact time is in eject_ms"
    assert tunnel.terminate() == 0
    assert tunnel.wait_for_event("stopped")["msg"] == "stopped: every connection ended in order"


def test_nothing_left_names_every_target_with_its_reason(request, relay, serve_tls):
    bad = {refusing(request): "connect_refused", plaintext(request): "not_tls",
           certificate("expired")(request): "cert_expired"}
    tunnel = relay(list(bad))
    assert tunnel.connect("svc").expect_reset() == b""
    dial = tunnel.wait_for_event("dial_failed")
    for target, kind in bad.items():
        assert target in dial["msg"] and f"{target}={kind}" in str(dial)


def test_late_rejection_ejects_before_the_client_is_reset(relay, pki, serve_tls):
    picky, good = serve_tls(echo, client_ca=pki.ca), serve_tls(echo)
    tunnel = relay([picky.address, good.address], balance="first",
                   health={"eject_time": "1h", "eject_max": "1h"})
    tunnel.connect("svc").expect_reset()
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert tunnel.closed(target=good.address)["tries"] == 1


# Active checks.

@pytest.mark.parametrize("check", ["tcp", "tls"])
def test_checks_notice_without_any_client(relay, serve_tls, check):
    first, second = serve_tls(echo), serve_tls(echo)
    tunnel = relay([first.address, second.address], balance="first",
                   health={"check": check, "interval": "200ms", "timeout": "2s", "fall": 2,
                           "rise": 2})
    address, port = first.address, first.port
    first.stop()
    tunnel.wait_for_event("ejected", target=address)
    assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["tries"] == 1
    serve_tls(echo, port=port)
    tunnel.wait_for_event("restored", target=address)


def test_tls_check_sees_a_bad_certificate(relay, pki, serve_tls):
    good, bad = serve_tls(echo), serve_tls(echo, pki.expired)
    tunnel = relay([bad.address, good.address], balance="first",
                   health={"check": "tls", "interval": "200ms", "fall": 1})
    assert "expired" in tunnel.wait_for_event("ejected", target=bad.address)["msg"]
    assert expect.served_to_the_end(tunnel, tunnel.connect("svc"))["tries"] == 1


# Directory servers.

class Searches:
    """ldapsearch in a loop; counts what works and keeps what does not."""

    def __init__(self, address):
        self.good, self.failures = 0, []
        self._address, self._over = address, threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.is_set():
            try:
                assert b"uid: user00001" in search(self._address, "(uid=user00001)", "uid")
                with self._changed:
                    self.good += 1
                    self._changed.notify_all()
            except AssertionError as error:
                self.failures.append(str(error))

    def some_more(self, count=8):
        """That many further searches have worked."""
        with self._changed:
            goal = self.good + count
            assert self._changed.wait_for(lambda: self.good >= goal, PATIENCE), self.failures

    def stop(self):
        self._over.set()
        self._thread.join(PATIENCE)


@pytest.fixture
def directories(tmp_path, pki, keep):
    folders = []
    for name in "abc":
        folder = tmp_path / name
        folder.mkdir()
        folders.append(folder)
    return [keep(Slapd(folder, pki.leaf(), people=3)) for folder in folders]


LDAP_CHECKS = {"check": "ldap", "interval": "200ms", "timeout": "1s", "fall": 1, "rise": 1,
               "eject_time": "300ms", "eject_max": "1s"}


@pytest.mark.needs("slapd", "ldapsearch")
def test_no_search_fails_whatever_happens_to_the_servers(relay, serve, serve_tls, pki, keep,
                                                        directories):
    first, second, third = directories
    tunnel = relay([s.tls_address for s in directories], health=LDAP_CHECKS,
                   timeouts={"connect": "2s", "handshake": "2s"})
    searches = keep(Searches(tunnel.address("svc")))
    searches.some_more()

    # A connection that is already established dies with its server; those begun later must not.
    first.background.process.kill()
    first.background.process.wait()
    tunnel.wait_for_event("ejected", target=first.tls_address)
    searches.failures.clear()
    searches.some_more()

    # In its place: a plaintext service, then bad certificates.
    host, port = first.tls_address.split(":")
    for stand_in in (lambda: serve(lambda p: p.send(b"220 hello\r\n"), port=int(port)),
                     lambda: serve_tls(echo, pki.expired, port=int(port)),
                     lambda: serve_tls(echo, pki.wrong_name, port=int(port))):
        server = stand_in()
        server.wait_for_connections(1)
        searches.some_more()
        server.stop()

    # Back from the dead.
    assert first.start(), first.background.text()
    tunnel.wait_for_event("restored", target=first.tls_address)
    searches.some_more()

    # Stopped: it accepts, but never answers.
    second.background.process.send_signal(signal.SIGSTOP)
    tunnel.wait_for_event("ejected", target=second.tls_address)
    assert not searches.failures
    searches.some_more()
    second.background.process.send_signal(signal.SIGCONT)
    tunnel.wait_for_event("restored", target=second.tls_address)
    searches.some_more()
    assert not searches.failures


@pytest.mark.needs("slapd", "ldapsearch")
def test_healthy_checks_leave_no_error_in_the_servers_log(tmp_path, relay, pki, keep):
    slapd = keep(Slapd(tmp_path, pki.leaf(), people=1, debug="stats"))
    # The harness has looked whether it is up, without a word.
    eventually(lambda: slapd.background.text().count(" closed (") == 2, "that is over")
    before = len(slapd.background.text())
    relay(slapd.tls_address, health={**LDAP_CHECKS, "interval": "100ms"})
    eventually(lambda: slapd.background.text().count("UNBIND") >= 5, "checks say goodbye")
    text = slapd.background.text()[before:]
    for bad in ("connection lost", "error", "err=1", "err=2"):
        assert bad not in text.lower(), text


@pytest.mark.needs("slapd", "ldapsearch")
def test_chain_of_a_tls_service_and_a_balancing_service(start, serve, serve_tls, pki, keep,
                                                        directories, tmp_path):
    """The recipe in one file: LDAPS in front, a plain balancer behind it."""
    path = str(tmp_path / "middle.sock")
    tunnel = start({
        "ldap": {"accept": "127.0.0.1:0", "connect": path,
                 "tls": {"ca": pki.ca.file, "name": "server.test"}},
        "servers": {"accept": path, "connect": [s.tls_address for s in directories], "tls": False,
                    # A live server always answers in time: with none left, the first one is tried.
                    "health": {"check": "tls", "interval": "200ms", "timeout": "5s", "fall": 1,
                               "rise": 1, "tls": {"ca": pki.ca.file, "name": "server.test"}}}})
    searches = keep(Searches(tunnel.address("ldap")))
    searches.some_more()
    first, second, _ = directories
    first.background.process.kill()
    first.background.process.wait()
    tunnel.wait_for_event("ejected", target=first.tls_address)
    searches.failures.clear()
    second.background.process.send_signal(signal.SIGSTOP)
    tunnel.wait_for_event("ejected", target=second.tls_address)
    # Those that were under way when it stopped fail; from now on none does.
    second.background.process.send_signal(signal.SIGCONT)
    searches.some_more(1)
    searches.failures.clear()
    searches.some_more()
    assert not searches.failures

    # In the place of the first one, whom the checks have found dead: they let none of these in.
    port = int(first.tls_address.rpartition(":")[2])
    for stand_in in (lambda: serve(lambda p: p.send(b"220 hello\r\n"), port=port),
                     lambda: serve_tls(echo, pki.expired, port=port),
                     lambda: serve_tls(echo, pki.wrong_name, port=port)):
        server = stand_in()
        server.wait_for_connections(2)
        searches.some_more()
        server.stop()
    assert not searches.failures
    assert not tunnel.log.find("restored", target=first.tls_address)
