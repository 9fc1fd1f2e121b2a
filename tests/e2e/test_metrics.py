# SPDX-License-Identifier: MIT
"""/metrics tells what happened: in formats that Prometheus reads, and in numbers that are right."""

import json
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest
from harness import promtool, web
from harness.metrics import Metrics, scrape
from harness.ports import free_port
from harness.process import DIE_WITH_PARENT
from harness.server import echo
from harness.wait import PATIENCE, eventually

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


class Instance:
    def __init__(self, start, serve_tls, pki):
        self.server = serve_tls(echo)
        self.pki = pki
        self.config = {"workers": 2, "control": "off", "status": "127.0.0.1:0",
                       "svc": {"accept": "127.0.0.1:0", "connect": self.server.address,
                               "tls": {"ca": str(pki.ca.file)}}}
        self.tunnel = start(self.config)
        self.address = web.address_of(self.tunnel)

    def scrape(self, **headers):
        return scrape(self.address, **headers)


@pytest.fixture
def instance(start, serve_tls, pki):
    return Instance(start, serve_tls, pki)


def exchange(client, size):
    client.send(b"x" * size)
    assert len(client.recv_exact(size)) == size


def test_bytes_are_counted_while_they_move_and_agree_with_the_closed_line(instance):
    clients = [instance.tunnel.connect("svc") for _ in range(4)]
    for number, client in enumerate(clients):
        exchange(client, 1000 + number)
    total = sum(1000 + number for number in range(4))
    live = instance.scrape()
    target = instance.server.address
    for direction in ("up", "down"):
        assert live.value("tunnel_bytes_total", service="svc", direction=direction) == total
        assert live.value("tunnel_target_bytes_total", service="svc", target=target,
                          direction=direction) == total
    assert live.value("tunnel_connections_open", service="svc", state="open") == 4
    assert live.value("tunnel_target_connections_open", service="svc", target=target) == 4
    for client in clients:
        client.half_close()
        client.read_to_end()
    closed = [instance.tunnel.closed(count) for count in range(1, 5)]
    done = eventually(lambda: _all_gone(instance), "no connection is open")
    assert done.value("tunnel_bytes_total", service="svc", direction="up") == \
        sum(line["bytes_up"] for line in closed) == total
    assert done.value("tunnel_bytes_total", service="svc", direction="down") == \
        sum(line["bytes_down"] for line in closed) == total
    assert done.value("tunnel_connections_accepted_total", service="svc") == 4
    assert done.value("tunnel_connections_closed_total", service="svc", kind="ok") == 4
    assert done.value("tunnel_target_connections_total", service="svc", target=target) == 4
    for state in ("dialling", "open", "half_closed", "draining"):
        assert done.value("tunnel_connections_open", service="svc", state=state) == 0


def _all_gone(instance):
    metrics = instance.scrape()
    gone = metrics.value("tunnel_connections_open", service="svc", state="dialling") == 0 and \
        metrics.value("tunnel_connections_open", service="svc", state="open") == 0
    return metrics if gone else None


def test_dials_and_handshakes_are_counted(instance):
    for _ in range(3):
        client = instance.tunnel.connect("svc")
        exchange(client, 1)
    metrics = instance.scrape()
    for phase in ("resolve", "connect", "tls"):
        assert metrics.value("tunnel_dial_phase_duration_seconds_count", service="svc", phase=phase) == 3
        assert metrics.value("tunnel_dial_phase_duration_seconds_bucket", service="svc", phase=phase,
                             le="+Inf") == 3
        # On loopback it is less than a millisecond, and not nothing.
        assert metrics.value("tunnel_dial_phase_duration_seconds_sum", service="svc", phase=phase) > 0
    assert metrics.value("tunnel_dial_duration_seconds_count", service="svc") == 3
    assert sum(metrics.samples["tunnel_tls_handshakes_total"].values()) == 3
    expiry = metrics.value("tunnel_certificate_not_after_timestamp_seconds", service="svc",
                           target=instance.server.address, role="server_leaf")
    assert expiry > metrics.value("process_start_time_seconds")


def test_half_closed_connections_have_a_state_of_their_own(instance, serve_tls):
    may_end = threading.Event()

    def answer_late(peer):
        peer.read_to_end()
        may_end.wait(PATIENCE)

    instance.config["svc"]["connect"] = serve_tls(answer_late).address
    instance.tunnel.reload(instance.config)
    client = instance.tunnel.connect("svc")
    client.send(b"x")
    client.half_close()
    eventually(lambda: instance.scrape().value("tunnel_connections_open", service="svc",
                                               state="half_closed") == 1, "one is half closed")
    may_end.set()
    client.read_to_end()
    instance.tunnel.closed()
    assert instance.scrape().value("tunnel_connections_open", service="svc", state="half_closed") == 0


def test_failures_are_counted_by_kind_and_an_ejection_is_a_state(start):
    dead = f"127.0.0.1:{free_port()}"
    tunnel = start({"status": "127.0.0.1:0", "svc": {
        "accept": "127.0.0.1:0", "connect": dead, "tls": False,
        "health": {"eject_time": "1h", "eject_max": "1h"}}})
    tunnel.connect("svc").read_to_end()
    tunnel.closed()
    metrics = Metrics(web.get(web.address_of(tunnel), "/metrics").body)
    labels = {"service": "svc", "target": dead}
    assert metrics.value("tunnel_target_failures_total", kind="connect_refused", **labels) == 1
    assert metrics.value("tunnel_target_ejections_total", **labels) == 1
    assert metrics.value("tunnel_target_state", state="ejected", **labels) == 1
    assert metrics.value("tunnel_target_state", state="up", **labels) == 0
    assert metrics.value("tunnel_connections_closed_total", service="svc", kind="connect_refused") == 1
    assert metrics.value("tunnel_connections_closed_total", service="svc", kind="ok") == 0


def test_counters_go_on_through_a_reload(instance):
    exchange(instance.tunnel.connect("svc"), 100)
    before = instance.scrape()
    instance.config["svc"]["max_connections"] = 9
    instance.tunnel.reload(instance.config)
    exchange(instance.tunnel.connect("svc"), 10)
    after = instance.scrape()
    assert after.value("tunnel_bytes_total", service="svc", direction="up") == 110
    assert after.value("tunnel_target_connections_total", service="svc",
                       target=instance.server.address) == 2
    assert after.value("tunnel_connections_limit", service="svc") == 9
    assert after.value("tunnel_config_reloads_total", result="ok") == 1
    assert after.samples["tunnel_config_info"].keys() != before.samples["tunnel_config_info"].keys()


def test_a_target_that_a_reload_removes_is_told_of_for_a_while(instance, serve_tls):
    client = instance.tunnel.connect("svc")
    exchange(client, 100)
    left = instance.server.address
    instance.config["svc"]["connect"] = serve_tls(echo).address
    instance.tunnel.reload(instance.config)
    exchange(client, 10)
    metrics = instance.scrape()
    labels = {"service": "svc", "target": left}
    assert metrics.value("tunnel_target_bytes_total", direction="up", **labels) == 110
    assert metrics.value("tunnel_target_connections_open", **labels) == 1
    assert metrics.value("tunnel_target_state", state="draining", **labels) == 1
    assert metrics.value("tunnel_target_weight", **labels) == 0


def test_a_failed_reload_is_seen(instance):
    assert instance.scrape().value("tunnel_config_last_reload_successful") == 1
    instance.tunnel.rewrite("nonsense")
    instance.tunnel.reload()
    metrics = instance.scrape()
    assert metrics.value("tunnel_config_last_reload_successful") == 0
    assert metrics.value("tunnel_config_reloads_total", result="failed") == 1


def test_the_process_and_its_loops_are_told(instance):
    metrics = instance.scrape()
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                 "process_max_fds", "process_start_time_seconds"):
        assert metrics.value(name) > 0
    assert {dict(labels)["worker"] for labels in metrics.samples["tunnel_worker_loop_lag_seconds"]} == \
        {"0", "1", "control"}
    (build,) = metrics.samples["tunnel_build_info"]
    assert dict(build)["gnutls"].startswith("GnuTLS ")


@pytest.mark.needs("promtool")
def test_promtool_finds_nothing_to_complain_about(instance):
    exchange(instance.tunnel.connect("svc"), 1)
    assert promtool.complaints(instance.scrape().text) == ""


def test_open_metrics_is_served_to_those_who_ask(instance):
    exchange(instance.tunnel.connect("svc"), 1)
    answer = web.get(instance.address, "/metrics", Accept=OPEN_METRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.body.endswith("# EOF\n") and "\n\n" not in answer.body
    assert "# TYPE tunnel_bytes counter\n" in answer.body
    assert Metrics(answer.body).samples["tunnel_bytes_total"]
    plain = web.get(instance.address, "/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE tunnel_bytes_total counter\n" in plain.body


@pytest.mark.needs("prometheus")
def test_prometheus_reads_every_sample(instance, stack, tmp_path):
    exchange(instance.tunnel.connect("svc"), 1234)
    listen = f"127.0.0.1:{free_port()}"
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: tunnel\n  scrape_interval: 1s\n  static_configs:\n"
        f"  - targets: ['{instance.address}']\n")
    server = subprocess.Popen(
        [*DIE_WITH_PARENT, "prometheus", f"--config.file={tmp_path}/prometheus.yml",
         f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address={listen}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(server.wait)
    stack.callback(server.kill)

    def query(expression):
        try:
            url = f"http://{listen}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    (sample,) = eventually(lambda: query('tunnel_bytes_total{direction="up"}'), "Prometheus has scraped")
    assert sample["value"][1] == "1234"
    assert query("up")[0]["value"][1] == "1"
