# SPDX-License-Identifier: MIT
"""Who watches a large instance gets answers of a size that can be read, and is in nobody's way."""

import threading

import pytest
from harness import promtool, schema, web
from harness.crowd import Crowd, need_files
from harness.metrics import scrape
from harness.peer import Peer
from harness.programs import Nginx
from harness.server import echo
from harness.volume import MIB
from harness.wait import PATIENCE, eventually

pytestmark = pytest.mark.heavy

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


@pytest.mark.needs("promtool")
def test_a_scrape_of_a_thousand_busy_services_is_less_than_five_mebibytes(start, serve_tls, pki):
    """Each has three targets, and has used all of them."""
    need_files(8000)
    names = [f"service{number:04}" for number in range(1000)]
    targets = [serve_tls(echo).address for _ in range(3)]
    service = {"accept": "127.0.0.1:0", "connect": targets, "tls": {"ca": str(pki.ca.file)}}
    tunnel = start({"status": "127.0.0.1:0", "workers": 2, **dict.fromkeys(names, service)})
    address = web.address_of(tunnel)
    listening = {event["service"]: event["address"] for event in tunnel.log.find("listening")
                 if "service" in event}
    for name in names:
        for _ in targets:
            with Peer.connect(listening[name]) as client:
                client.send(b"x")
                assert client.recv_exact(1) == b"x"
    plain, open_metrics = scrape(address), scrape(address, Accept=OPEN_METRICS)
    for metrics in (plain, open_metrics):
        assert len(metrics.text.encode()) < 5 * MIB
        for name in names:
            for target in targets:
                assert metrics.value("tunnel_target_connections_total", service=name, target=target) == 1
    dials = plain.samples["tunnel_dial_duration_seconds_count"]
    assert sum(dials.values()) == 3000 and len(dials) == 51
    assert promtool.complaints(plain.text) == ""


def is_whole(answer):
    return answer.status == 200 and len(answer.body.encode()) == int(answer.headers["content-length"])


class Pinging:
    """One client that asks and gets its answer again and again, in a thread of its own."""

    def __init__(self, client):
        self.rounds = 0
        self._client, self._over = client, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.is_set():
            self._client.send(b"x")
            assert self._client.recv_exact(1) == b"x"
            self.rounds += 1

    def wait_for(self, further):
        """That it has got so many further answers."""
        wanted = self.rounds + further
        eventually(lambda: self.rounds >= wanted, "the byte path goes on")

    def stop(self):
        self._over.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.mark.needs("nginx")
def test_eight_thousand_connections_are_paged_and_nobody_waits_for_who_looks(
        start, serve_tls, pki, tmp_path, keep):
    count = 8000
    need_files(2 * count + 400)
    nginx = keep(Nginx(tmp_path, pki.leaf(), connections=count + 200))
    tls = {"ca": str(pki.ca.file)}
    tunnel = start({"status": "127.0.0.1:0", "workers": 2,
                    "crowd": {"accept": "127.0.0.1:0", "connect": nginx.address, "tls": tls},
                    "svc": {"accept": "127.0.0.1:0", "connect": serve_tls(echo).address, "tls": tls}})
    address = web.address_of(tunnel)
    crowd = Crowd(tunnel.address("crowd"), count)
    pinging = keep(Pinging(tunnel.connect("svc")))

    pinging.wait_for(1)
    before = pinging.rounds
    for _ in range(5):
        pages = {path: web.get(address, path) for path in
                 ("/", "/?sort=age&from=4000", "/?filter=crowd%5B7777%5D", "/status.json",
                  "/connections.json", "/metrics")}
        assert all(is_whole(page) for page in pages.values())
    assert pinging.rounds - before > 5 * len(pages), "it has been kept waiting"

    first, middle, found = list(pages.values())[:3]
    for page in (first, middle):
        assert page.body.count("<td>crowd[") + page.body.count("<td>svc[") == 200
        assert len(page.body) < MIB // 4
    assert f"1 to 200 of {count + 1}" in first.body and ">more</a>" in first.body
    assert f"4001 to 4200 of {count + 1}" in middle.body and ">earlier</a>" in middle.body
    assert found.body.count("<td>crowd[") == 1 and "crowd[7777]" in found.body
    assert len(pages["/status.json"].body) < MIB // 4
    listed = pages["/connections.json"].json()
    schema.validate(listed, "connections.schema.json")
    assert len(listed["connections"]) == count + 1
    assert len(pages["/connections.json"].body) < 4 * MIB
    crowd.all_answer()
    crowd.leave()
