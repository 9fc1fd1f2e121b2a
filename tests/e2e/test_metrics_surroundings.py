# SPDX-License-Identifier: MIT
"""/metrics tells what surrounds the connections: certificates, name servers, checks, captures."""

import datetime
import pathlib
import re

import pytest
from harness import promtool, web
from harness.programs import OpensslServer
from harness.metrics import scrape
from harness.pki import CLIENT_AUTH
from harness.ports import free_port
from harness.server import echo
from harness.wait import eventually

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
EXPIRY = "tunnel_certificate_not_after_timestamp_seconds"


class Scraped:
    """A tunnel of one service, and its metrics."""

    def __init__(self, start, pki, connect, tls=None, options=None, **keys):
        self.config = {"workers": 2, "control": "off", "status": "127.0.0.1:0", **(options or {}),
                       "svc": {"accept": "127.0.0.1:0", "connect": connect, **keys}}
        if tls is not False:
            self.config["svc"]["tls"] = {"ca": str(pki.ca.file), **(tls or {})}
        else:
            self.config["svc"]["tls"] = False
        self.tunnel = start(self.config)
        self.address = web.address_of(self.tunnel)

    def all(self):
        return scrape(self.address)

    def value(self, name, **labels):
        return self.all().value(name, service="svc", **labels)

    def wait(self, name, expected, **labels):
        eventually(lambda: self.value(name, **labels) == expected, f"{name} is {expected}")

    def exchange(self):
        client = self.tunnel.connect("svc")
        client.send(b"x\n")
        assert client.recv_exact(2) == b"x\n"
        return client


@pytest.fixture
def scraped(start, pki):
    return lambda connect, **keys: Scraped(start, pki, getattr(connect, "address", connect), **keys)


def end_of(certificate):
    return certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()


def test_certificates_have_their_ends_by_role(scraped, serve_tls, pki):
    """A chain ends with the first of its certificates to end, whichever that is."""
    leaf = pki.intermediate.issue("outlives-its-ca", days=(-1, 800))
    robot = pki.ca.issue("robot", purposes=[CLIENT_AUTH], days=(-1, 7))
    server = serve_tls(echo, identity=leaf)
    service = scraped(server, tls={"cert": str(robot.chain_file), "key": str(robot.key_file)})
    assert service.value(EXPIRY, role="ca") == end_of(pki.ca.cert)
    assert service.value(EXPIRY, role="client") == end_of(robot.cert)
    assert service.value(EXPIRY, role="server_leaf", target=server.address) is None
    service.exchange()
    assert service.value(EXPIRY, role="server_leaf", target=server.address) == end_of(leaf.cert)
    assert service.value(EXPIRY, role="server_chain", target=server.address) == \
        min(end_of(pki.intermediate.cert), end_of(pki.ca.cert))


def test_the_certificate_of_a_server_that_only_checks_have_seen_has_its_end(
        scraped, serve_tls, pki):
    leaf = pki.intermediate.issue("stands-by")
    server = serve_tls(echo, identity=leaf)
    service = scraped(server, health={"check": "tls", "interval": "1s"})
    service.wait(EXPIRY, end_of(leaf.cert), role="server_leaf", target=server.address)
    assert service.value(EXPIRY, role="server_chain", target=server.address) == \
        min(end_of(each.cert) for each in (leaf, pki.intermediate, pki.ca))


def test_a_chain_that_was_verified_a_moment_ago_has_its_end_too(scraped, serve_tls, pki):
    """Two targets show the same certificates: the second verdict is a remembered one."""
    first, second = serve_tls(echo), serve_tls(echo)
    service = scraped([first.address, second.address])
    for _ in range(2):
        service.exchange()
    for server in (first, second):
        assert service.value(EXPIRY, role="server_chain", target=server.address) == \
            end_of(pki.leaf().cert)


def test_what_is_not_verified_has_no_chain(scraped, serve_tls):
    server = serve_tls(echo)
    service = scraped(server, tls={"verify": "none"})
    service.exchange()
    assert service.value(EXPIRY, role="server_leaf", target=server.address)
    assert service.value(EXPIRY, role="server_chain", target=server.address) is None


@pytest.mark.needs("openssl")
def test_lists_and_stapled_responses_have_their_ends(scraped, pki, tmp_path, keep):
    """Of two lists of one issuer the newer one counts; of two issuers, the first to end."""
    day = datetime.timedelta(days=1).total_seconds()
    lists = [pki.intermediate.crl("newer", days=(-1, 9)), pki.intermediate.crl("older", days=(-2, 3)),
             pki.ca.crl("of-the-root", days=(-1, 30))]
    staple = pki.intermediate.ocsp("for-metrics", pki.leaf(), days=(-1, 6))
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-rev", "-status_file", staple))
    service = scraped(server, tls={"crl": [str(each) for each in lists]})
    client = service.tunnel.connect("svc")
    client.send(b"ab\n")
    assert client.recv_exact(3) == b"ba\n"
    issued = end_of(pki.leaf().cert) - 60 * day  # all are dated by the same moment
    assert service.value("tunnel_crl_next_update_timestamp_seconds") == issued + 9 * day
    assert service.value("tunnel_ocsp_next_update_timestamp_seconds", target=server.address) == \
        issued + 6 * day


def test_a_service_that_takes_no_more_clients_for_now_says_so(scraped, serve):
    service = scraped(serve(echo), tls=False, max_connections=1)
    assert service.value("tunnel_accept_paused") == 0
    client = service.exchange()
    service.wait("tunnel_accept_paused", 1)
    client.close()
    service.wait("tunnel_accept_paused", 0)


def test_checks_are_timed(scraped, serve_tls):
    service = scraped(serve_tls(echo), health={"check": "tls", "interval": "50ms"})
    eventually(lambda: (service.value("tunnel_target_check_duration_seconds_count") or 0) >= 2,
               "two checks were timed")


def test_what_name_servers_say_is_counted(scraped, serve, dns):
    server = serve(echo)
    dns.set("a.test", "A", ["127.0.0.1"], ttl=1)
    target = f"a.test:{server.port}"
    service = scraped(target, tls=False, options={"dns_servers": [dns.address]})
    service.exchange()
    assert service.all().value("tunnel_dns_queries_total", result="ok") == 1
    assert service.all().value("tunnel_dns_queries_total", result="nodata") == 1  # AAAA
    assert 0 <= service.value("tunnel_dns_answer_age_seconds", target=target) < 3600
    assert service.all().value("tunnel_dns_stale_answers") == 0
    dns.fail("a.test")
    eventually(lambda: service.all().value("tunnel_dns_stale_answers") == 1, "the answer is stale")
    assert service.all().value("tunnel_dns_queries_total", result="servfail") + \
        service.all().value("tunnel_dns_queries_total", result="unreachable") >= 1


def test_changed_files_are_counted_as_they_are_taken_over_or_not(scraped, serve_tls, pki, tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(pki.ca.file.read_bytes())
    service = scraped(serve_tls(echo), tls={"ca": str(ca)}, options={"certificate_poll": "100ms"})
    name = "tunnel_certificate_file_reloads_total"
    assert (service.value(name, result="ok"), service.value(name, result="failed")) == (0, 0)
    ca.write_bytes(pki.ca.file.read_bytes() + pki.stranger.file.read_bytes())
    service.wait(name, 1, result="ok")
    at = service.value("tunnel_certificate_file_last_reload_success_timestamp_seconds")
    assert at >= int(service.all().value("process_start_time_seconds"))
    ca.write_text("nonsense")
    eventually(lambda: service.value(name, result="failed") >= 1, "the broken file was refused")
    assert service.value("tunnel_certificate_file_last_reload_success_timestamp_seconds") == at


def test_what_was_ready_for_clients_is_counted(scraped, serve_tls):
    service = scraped(serve_tls(echo), preconnect=2)
    service.wait("tunnel_preconnect_ready", 2)
    service.exchange()
    assert service.value("tunnel_preconnect_clients_total", result="ready") == 1
    assert service.value("tunnel_preconnect_clients_total", result="dialled") == 0


def test_packets_of_captures_are_counted_beyond_their_ends(scraped, serve, tmp_path):
    capture = {"file": str(tmp_path / "c.pcapng")}
    service = scraped(serve(echo), tls=False, capture=capture)
    assert service.all().value("tunnel_capture_active") == 1
    service.exchange().close()
    service.tunnel.closed()
    eventually(lambda: service.all().value("tunnel_capture_packets_total") >= 5, "packets were written")
    del service.config["svc"]["capture"]
    service.tunnel.reload(service.config)
    metrics = service.all()
    assert metrics.value("tunnel_capture_active") == 0
    assert metrics.value("tunnel_capture_packets_total") >= 5
    assert metrics.value("tunnel_capture_dropped_packets_total") == 0


@pytest.mark.needs("openssl", "promtool")
def test_the_list_of_metrics_is_complete_and_holds_nothing_else(scraped, serve_tls, pki, tmp_path, keep):
    """docs/metrics.md against a process that has done everything that is counted."""
    robot = pki.ca.issue("robot-of-all", purposes=[CLIENT_AUTH])
    staple = pki.intermediate.ocsp("for-all", pki.leaf())
    stapling = keep(OpensslServer(tmp_path, pki.leaf(), "-rev", "-status_file", staple))
    ca = tmp_path / "ca.pem"
    ca.write_bytes(pki.ca.file.read_bytes())
    service = scraped(
        f"localhost:{serve_tls(echo).port}",
        tls={"ca": str(ca), "cert": str(robot.chain_file), "key": str(robot.key_file),
             "crl": str(pki.intermediate.crl("for-all"))},
        max_connections=20, preconnect=1, health={"check": "tls", "interval": "50ms"},
        options={"certificate_poll": "100ms",
                 "stapled": {"accept": "127.0.0.1:0", "balance": "first",
                             "connect": [f"127.0.0.1:{free_port()}", stapling.address],
                             "tls": {"ca": str(pki.ca.file)}}})
    ca.write_bytes(pki.ca.file.read_bytes() + pki.stranger.file.read_bytes())
    service.wait("tunnel_certificate_file_reloads_total", 1, result="ok")
    service.exchange().close()
    stapled = service.tunnel.connect("stapled")
    stapled.send(b"ab\n")
    assert stapled.recv_exact(3) == b"ba\n"
    stapled.close()
    service.tunnel.closed()
    wanted = {"tunnel_target_failures_total", "tunnel_target_check_duration_seconds_count",
              "tunnel_dial_tries_count"}
    eventually(lambda: wanted <= service.all().samples.keys(), "all of it has happened")
    assert promtool.complaints(service.all().text) == ""
    families = set(re.findall(r"^# TYPE (\S+)", service.all().text, re.MULTILINE))
    listed = re.findall(r"^\| (`[^|]*)\|", DOCS.read_text(), re.MULTILINE)
    documented = {name for row in listed for name in re.findall(r"`([a-z_]+)`", row)}
    assert documented == families
