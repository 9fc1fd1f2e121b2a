# SPDX-License-Identifier: MIT
"""`tunnel probe`: what works, and for each way to fail its status, its word and what to do."""

import json
import os
import re
import ssl
import stat
import struct

import pytest
from harness import schema
from harness.pki import Authority, Identity
from harness.ports import free_port
from harness.probing import config_for
from harness.programs import OpensslServer
from harness.proxies import HttpProxy
from harness.server import FullBacklog, echo, silent
from harness.slapd import Slapd
from harness.starttls import DIALECTS, StarttlsServer
from harness.wait import eventually

V = ssl.TLSVersion


@pytest.fixture
def probe(run, pki):
    """probe(target, ...) probes a service with that target, and returns the report."""

    def probe(target, *arguments, status=0, **kwargs):
        done = run("probe", "--json", *arguments, config=config_for(pki, target, **kwargs))
        assert done.returncode == status, done.stdout + done.stderr
        assert done.stderr == ""
        report = json.loads(done.stdout)
        schema.validate(report, "probe.schema.json")
        assert report["ok"] == (status == 0)
        return report

    return probe


def addresses_of(report):
    return [a for s in report["services"] for t in s["targets"] for a in t["addresses"]]


@pytest.fixture
def fails(probe):
    """fails(target, kind, phase, *patterns of the fix) returns the address that failed so."""

    def fails(target, kind, phase, *fix, **kwargs):
        [address] = addresses_of(probe(target, status=1, **kwargs))
        first = address["problems"][0]
        assert (first["kind"], first["phase"]) == (kind, phase), first
        assert first["text"]
        for pattern in fix:
            assert re.search(pattern, first["fix"]), (pattern, first["fix"])
        return address

    return fails


def kinds(address):
    return [problem["kind"] for problem in address["problems"]]


# What works.

def test_usable_target(probe, pki, serve_tls):
    server = serve_tls(echo, alpn=["ldap"])
    [address] = addresses_of(probe(server, tls={"alpn": ["ldap"]}))
    times = address["times"]
    assert address["address"] == server.address and address["problems"] == []
    assert 0 <= times["tcp"] <= times["total"] and 0 < times["tls"] <= times["total"]
    assert times["preamble"] is None and times["check"] is None and times["dns"] is None
    assert address["tls"]["version"] == "TLS1.3" and address["tls"]["alpn"] == "ldap"
    assert address["tls"]["resumable"]
    certificate = address["certificate"]
    assert certificate["trusted"] and str(pki.ca.file) in certificate["anchor"]
    assert [c["subject"] for c in certificate["chain"]] == \
        ["CN=good", "CN=Test intermediate", "CN=Test ca"]
    assert certificate["chain"][0]["days_left"] in (59, 60)
    assert certificate["unused"] == [] and not certificate["out_of_order"]


def test_text_ends_with_a_pin_to_paste_and_a_sum(run, pki, serve_tls):
    server = serve_tls(echo)
    done = run("probe", config=config_for(pki, server))
    assert done.returncode == 0 and done.stderr == ""
    pin = re.search(r"pin +(sha256:\S+) +\(for tls.pin\)", done.stdout)[1]
    assert done.stdout.splitlines()[0].endswith("OK")
    assert re.fullmatch(r"1 address: 1 ok, 0 failed\.  Earliest end of a certificate in use: "
                        r"\d+ d \(good\)", done.stdout.splitlines()[-1])
    pinned = config_for(pki, server, tls={"verify": "pin", "pin": [pin]})
    assert run("probe", config=pinned).returncode == 0


def test_every_address_of_a_name(probe, dns, serve_tls):
    server = serve_tls(echo)
    dns.set("server.test", "A", ["127.0.0.1", "127.0.0.7"])
    report = probe(f"server.test:{server.port}", options={"dns_servers": [dns.address]})
    found = {a["address"]: a for a in addresses_of(report)}
    assert set(found) == {f"127.0.0.1:{server.port}", f"127.0.0.7:{server.port}"}
    assert found[f"127.0.0.1:{server.port}"]["ok"]
    assert kinds(found[f"127.0.0.7:{server.port}"]) == ["connect_refused"]
    assert found[f"127.0.0.1:{server.port}"]["times"]["dns"] > 0


def test_targets_of_srv_records(probe, dns, serve_tls):
    server = serve_tls(echo)
    dns.set("_ldap._tcp.test", "SRV", [(1, 1, server.port, "server.test"),
                                       (2, 1, server.port, "absent.test")])
    dns.set("server.test", "A", ["127.0.0.1"])
    report = probe("srv:_ldap._tcp.test", status=1, options={"dns_servers": [dns.address]})
    targets = report["services"][0]["targets"]
    assert [(t["group"], t["ok"]) for t in targets] == [(1, True), (2, False)]
    assert kinds(targets[1]["addresses"][0]) == ["resolve_failed"]


def test_one_family(probe, dns, serve_tls, run, pki):
    server = serve_tls(echo, host="localhost")
    report = probe(f"localhost:{server.port}", "-4")
    assert [a["address"] for a in addresses_of(report)] == [f"127.0.0.1:{server.port}"]
    done = run("probe", "-6", config=config_for(pki, f"127.0.0.1:{server.port}"))
    assert done.returncode == 2 and "family" in done.stderr


def test_chosen_services_and_targets(run, pki, serve_tls):
    server = serve_tls(echo)
    dead = f"127.0.0.1:{free_port()}"
    config = config_for(pki, [server.address, dead])
    config["other"] = {"accept": "127.0.0.1:2", "connect": dead}
    assert run("probe", "--target", server.address, config=config).returncode == 0
    assert run("probe", "--target", "nobody", config=config).returncode == 2

    path = config_file(run, config)
    assert run("probe", path, "svc", "--target", server.address).returncode == 0
    assert run("probe", path, "other").returncode == 1
    done = run("probe", path, "othr")
    assert done.returncode == 2 and 'did you mean "other"?' in done.stderr


def config_file(run, config):
    """Where `run` has written a configuration."""
    done = run("check", config=config)
    assert done.returncode == 0, done.stderr
    return re.match(r"(.*?): \d+ service", done.stdout)[1]


def test_stunnel_conf(run, pki, serve_tls, tmp_path):
    server = serve_tls(echo)
    conf = tmp_path / "stunnel.conf"
    conf.write_text(f"client = yes\n[svc]\naccept = 127.0.0.1:1\nconnect = {server.address}\n"
                    f"CAfile = {pki.ca.file}\nverifyChain = yes\ncheckIP = 127.0.0.1\n")
    done = run("probe", conf)
    assert done.returncode == 0, done.stdout + done.stderr


def test_through_a_proxy_with_starttls(probe, pki, keep):
    server = keep(StarttlsServer(DIALECTS["smtp"], pki.context(), host="127.0.0.1"))
    proxy = keep(HttpProxy({"server.test:25": server.address}))
    [address] = addresses_of(probe("server.test:25", starttls="smtp",
                                   proxy=f"http://{proxy.address}"))
    assert address["times"]["preamble"] > 0 and address["tls"]
    assert proxy.asked == ["server.test:25"]


@pytest.mark.needs("slapd")
def test_health_check_is_asked_and_the_server_sees_no_error(probe, own):
    slapd = own(Slapd, people=1, debug="stats")
    [address] = addresses_of(probe(slapd.tls_address, health={"check": "ldap"}))
    assert address["times"]["check"] > 0
    number = eventually(lambda: re.search(r"(conn=\d+) op=\d+ UNBIND", slapd.background.text()),
                        "slapd has been told goodbye")[1]
    lines = [line for line in slapd.background.text().splitlines() if f"{number} " in line]
    assert lines and not any("failure" in line for line in lines)


def test_repeated_visits_resume(probe, serve_tls):
    server = serve_tls(echo)
    [address] = addresses_of(probe(server, "--repeat", "3"))
    repeat = address["repeat"]
    assert repeat["count"] == repeat["ok"] == 3 and repeat["second_resumed"]
    times = repeat["times"]["tls"]
    assert times["min"] <= times["mean"] <= times["max"]
    assert server.accepted == 3


def test_chain_and_secrets_are_saved(probe, pki, serve_tls, tmp_path):
    chain, secrets = tmp_path / "chain.pem", tmp_path / "keys"
    server = serve_tls(echo, pki.untrusted)
    probe(server, "--save-chain", chain, "--keylog", secrets, status=1)
    assert chain.read_text().count("BEGIN CERTIFICATE") == 1
    assert stat.S_IMODE(os.stat(secrets).st_mode) == 0o600
    assert "HANDSHAKE_TRAFFIC_SECRET" in secrets.read_text()
    probe(server, tls={"ca": chain})  # what the fix says


def test_running_instance_is_left_alone(start, run, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    service = config_for(pki, server)["svc"]
    tunnel = start({"pid_file": tmp_path / "pid", "control": tmp_path / "control",
                    "svc": {**service, "accept": tmp_path / "socket"}})
    before = {name: os.stat(tmp_path / name).st_ino for name in ("pid", "control", "socket")}
    assert run("probe", tunnel.path).returncode == 0
    assert before == {name: os.stat(tmp_path / name).st_ino for name in before}
    assert (tmp_path / "pid").read_text().strip() == str(tunnel.pid)


def test_configured_key_log_is_not_written(probe, serve_tls, tmp_path):
    probe(serve_tls(echo), tls={"keylog": tmp_path / "keys"})
    assert not (tmp_path / "keys").exists()


# Ways to fail before TLS.

def test_refused(fails):
    fails(f"127.0.0.1:{free_port()}", "connect_refused", "tcp", "nothing listens")


def test_black_hole(fails, keep):
    address = fails(keep(FullBacklog()), "connect_timeout", "tcp", "firewall",
                    timeouts={"connect": "300ms"})
    assert address["times"]["tcp"] >= 0.25


def test_name_that_does_not_exist(fails, dns):
    address = fails("absent.test:636", "resolve_failed", "dns", "name servers",
                    options={"dns_servers": [dns.address]})
    assert address["address"] is None


def test_no_srv_records(fails, dns):
    fails("srv:_ldap._tcp.test", "resolve_failed", "dns", options={"dns_servers": [dns.address]})


def test_proxy_refuses(fails, keep):
    proxy = keep(HttpProxy({}))
    fails("server.test:636", "proxy_refused", "preamble", "proxy", proxy=f"http://{proxy.address}")


def test_starttls_is_refused(fails, pki, keep):
    server = keep(StarttlsServer(DIALECTS["smtp"], pki.context(), refuses=True))
    fails(server, "starttls_refused", "preamble", "STARTTLS", starttls="smtp")


# Ways to fail in the handshake.

def test_plaintext_server(fails, serve):
    def greets(peer):
        peer.send(b"220 mail.test ESMTP ready\r\n")
        peer.read_to_end()

    fails(serve(greets), "not_tls", "tls", "220 mail.test ESMTP ready", 'starttls = "smtp"')


def test_old_versions_only(fails, serve_tls):
    server = serve_tls(echo, minimum=V.TLSv1, maximum=V.TLSv1_1)
    address = fails(server, "tls_version", "tls", r"takes TLS 1\.0 and TLS 1\.1")
    assert address["accepted_versions"] == ["TLS 1.0", "TLS 1.1"]


def test_newest_version_only(fails, serve_tls):
    server = serve_tls(echo, minimum=V.TLSv1_3)
    fails(server, "tls_version", "tls", r"takes TLS 1\.3", tls={"max_version": "1.2"})


def test_server_hangs_up(fails, serve):
    fails(serve(lambda peer: peer.recv() and None), "tls_closed", "tls", "server name",
          "client certificate", "plaintext port", tls={"name": "server.test"})


def test_silent_server(fails, serve):
    fails(serve(silent), "tls_timeout", "tls", "says nothing", timeouts={"handshake": "300ms"})


def test_alert(fails, serve):
    def alerts(peer):
        assert peer.recv()
        peer.send(struct.pack("!BHHBB", 21, 0x0303, 2, 2, 40))
        peer.read_to_end()

    fails(serve(alerts), "tls_alert", "tls", "log")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_client_certificate_is_missing(fails, pki, keep, tmp_path, version):
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-Verify", "3", "-CAfile", pki.stranger.file,
                                version))
    address = fails(server, "client_cert_rejected", "tls", "set tls.cert", "CN=Test stranger")
    assert address["client_certificate"] == {"requested": True,
                                             "authorities": ["CN=Test stranger"]}


@pytest.mark.needs("openssl")
def test_client_certificate_is_refused(fails, pki, keep, tmp_path):
    server = keep(OpensslServer(tmp_path, pki.leaf(), "-Verify", "3", "-verify_return_error",
                                "-CAfile", pki.stranger.file))
    client = pki.client_only
    fails(server, "client_cert_rejected", "tls", "refuses the certificate in tls.cert",
          "CN=Test stranger", tls={"cert": client.chain_file, "key": client.key_file})


# Ways to fail for the certificate.

@pytest.mark.parametrize("label, kind, fix", [
    ("expired", "cert_expired", [r"clock here says \d{4}-", r"valid from \d{4}-.* to \d{4}-"]),
    ("not_yet_valid", "cert_not_yet_valid", [r"clock here says \d{4}-", "valid from"]),
    ("wrong_name", "cert_name_mismatch", ["DNS:other.test", 'tls.name = "other.test"']),
    ("weak_key", "cert_weak", ["2048"]),
    ("for_encipherment", "cert_key_usage", ["digitalSignature"]),
])
def test_bad_certificate(fails, pki, serve_tls, label, kind, fix):
    address = fails(serve_tls(echo, getattr(pki, label)), kind, "tls", *fix)
    assert kinds(address) == [kind]


def test_issuer_that_neither_side_has(fails, pki, serve_tls):
    authority = pki.stranger
    identity = authority.issue("with-its-issuer")
    shown = Identity(pki.folder, "shown", identity.cert, identity.key, [authority.cert])
    address = fails(serve_tls(echo, shown), "cert_untrusted", "tls", "CN=Test stranger", "tls.ca")
    assert address["certificate"]["missing"] == "CN=Test stranger"
    assert not address["certificate"]["trusted"]


def test_server_forgets_its_intermediate(fails, pki, serve_tls):
    leaf = pki.leaf("lonely")
    lonely = Identity(pki.folder, "without-intermediate", leaf.cert, leaf.key, [])
    address = fails(serve_tls(echo, lonely), "cert_untrusted", "tls", "CN=Test intermediate",
                    "server's chain lacks it")
    assert address["certificate"]["missing"] == "CN=Test intermediate"


def test_system_store_lacks_the_issuer(fails, pki, serve_tls):
    leaf = pki.leaf()
    shown = Identity(pki.folder, "whole", leaf.cert, leaf.key,
                     [pki.intermediate.cert, pki.ca.cert])
    fails(serve_tls(echo, shown), "cert_untrusted", "tls", "system's trust store", "CN=Test ca",
          tls={"ca": None})


def test_certificates_that_are_sent_in_vain(probe, pki, serve_tls):
    leaf = pki.leaf()
    shown = Identity(pki.folder, "generous", leaf.cert, leaf.key,
                     [pki.ca.cert, pki.stranger.cert, pki.intermediate.cert])
    certificate = addresses_of(probe(serve_tls(echo, shown)))[0]["certificate"]
    assert sorted(certificate["unused"]) == ["CN=Test ca", "CN=Test stranger"]
    assert not certificate["out_of_order"]


def test_certificates_in_the_wrong_order(probe, pki, serve_tls):
    below = Authority(pki.folder, "below", parent=pki.intermediate)
    leaf = below.issue("deep")
    shown = Identity(pki.folder, "upside-down", leaf.cert, leaf.key,
                     [pki.intermediate.cert, below.cert])
    certificate = addresses_of(probe(serve_tls(echo, shown)))[0]["certificate"]
    assert certificate["trusted"] and certificate["out_of_order"]
    assert certificate["unused"] == []


def test_all_reasons_are_told(fails, pki, serve_tls):
    identity = pki.stranger.issue("hopeless", names=["other.test"], addresses=[], days=(-60, -2),
                                  key="rsa1024")
    address = fails(serve_tls(echo, identity), "cert_weak", "tls",
                    tls={"pin": [pki.leaf().pin]})
    assert set(kinds(address)) == {"cert_untrusted", "cert_expired", "cert_weak",
                                   "cert_name_mismatch", "pin_mismatch"}
    assert all(problem["fix"] for problem in address["problems"])


def test_wrong_pin(fails, pki, serve_tls):
    address = fails(serve_tls(echo), "pin_mismatch", "tls", "tls.pin = \"sha256:",
                    tls={"pin": [pki.expired.pin]})
    assert address["certificate"]["trusted"]


def test_revoked(fails, pki, serve_tls):
    crl = pki.intermediate.crl("probe-revoking", revoked=[pki.revoked])
    fails(serve_tls(echo, pki.revoked), "cert_revoked", "tls", "new certificate", tls={"crl": crl})


def test_list_that_has_ended(fails, pki, serve_tls):
    crl = pki.intermediate.crl("probe-stale", days=(-40, -3))
    fails(serve_tls(echo), "crl_unusable", "tls", "current CRL", "CN=Test intermediate",
          tls={"crl": crl})


def test_no_stapled_answer(fails, serve_tls):
    fails(serve_tls(echo), "ocsp_failed", "tls", "stapling", tls={"ocsp": "require"})


@pytest.mark.needs("openssl")
def test_stapled_answer(probe, pki, keep, tmp_path):
    leaf = pki.leaf()
    staple = pki.intermediate.ocsp("probe-good", leaf)
    server = keep(OpensslServer(tmp_path, leaf, "-status_file", staple))
    [address] = addresses_of(probe(server))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", address["tls"]["ocsp_until"])


def test_service_behind_tls_is_down(fails, serve_tls):
    def hangs_up(peer):
        peer.send(b"421 too busy\r\n")

    fails(serve_tls(hangs_up), "check_failed", "check", "health.check", health={"check": "smtp"})


# Many of them, and misuse.

def test_black_holes_are_waited_for_side_by_side(probe, keep, serve_tls):
    """200 targets, half of them black holes: one timeout together, not a hundred."""
    hole, server = keep(FullBacklog()), serve_tls(echo)
    targets = [server.address] * 100 + [hole.address] * 100
    report = probe([[target] for target in targets], status=1, timeouts={"connect": "2s"})
    targets = report["services"][0]["targets"]
    assert len(targets) == 200 and sum(t["ok"] for t in targets) == 100


@pytest.mark.parametrize("arguments", [
    ["--json", "--nagios"], ["-4", "-6"], ["--repeat", "0"], ["--timeout", "soon"],
    ["--timeout", "0s"],
])
def test_misuse(run, pki, arguments):
    done = run("probe", *arguments, config=config_for(pki, "127.0.0.1:2"))
    assert done.returncode == (3 if "--nagios" in arguments else 2)


def test_broken_configuration(run):
    done = run("probe", config="[svc]\naccept = 'nonsense'\n")
    assert done.returncode == 2 and "error:" in done.stderr and done.stdout == ""
