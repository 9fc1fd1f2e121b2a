# SPDX-License-Identifier: MIT
"""The status address answers those who may ask, and nobody can use it for anything else."""

import base64
import html
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
from harness import tunnel as program
from harness import schema, web
from harness.ports import free_port
from harness.server import echo
from harness.wait import PATIENCE, eventually


class Instance:
    def __init__(self, start, serve_tls, pki, folder):
        self.server = serve_tls(echo)
        self.pki, self.folder = pki, folder
        self.config = {"workers": 2, "control": "off", "status": "127.0.0.1:0",
                       "svc": {"accept": "127.0.0.1:0", "connect": self.server.address,
                               "tls": {"ca": str(pki.ca.file)}}}
        self.tunnel = start(self.config)
        self.address = web.address_of(self.tunnel)

    def get(self, path, **kwargs):
        return web.get(self.address, path, **kwargs)

    def served(self):
        return self.tunnel.served("svc")


@pytest.fixture
def instance(start, serve_tls, pki, tmp_path):
    return Instance(start, serve_tls, pki, tmp_path)


def test_health_checks_are_answered(instance):
    assert instance.get("/livez")[::2] == (200, "alive\n")
    assert instance.get("/readyz")[::2] == (200, "ready\n")
    assert instance.get("/readyz?targets=1").status == 200


def test_readiness_follows_targets_only_where_it_is_asked_to(start):
    tunnel = start({"status": "127.0.0.1:0", "svc": {
        "accept": "127.0.0.1:0", "connect": f"127.0.0.1:{free_port()}", "tls": False,
        "health": {"eject_time": "1h", "eject_max": "1h"}}})
    address = web.address_of(tunnel)
    tunnel.connect("svc").read_to_end()
    tunnel.closed()
    assert web.get(address, "/readyz").status == 200
    answer = web.get(address, "/readyz?targets=1")
    assert answer.status == 503 and answer.body == "svc: it has no usable target\n"


def test_a_process_that_stops_is_not_ready(instance):
    client = instance.served()
    instance.tunnel.signal(signal.SIGTERM)
    instance.tunnel.wait_for_event("draining")
    answer = instance.get("/readyz")
    assert answer.status == 503 and answer.body == "the process is stopping\n"
    assert instance.get("/livez").status == 200
    client.sock.close()


def test_status_and_connections_are_json(instance):
    client = instance.served()
    status = instance.get("/status.json").json()
    assert status["schema"] == 1 and status["services"][0]["connections"] == 1
    answer = instance.get("/connections.json")
    assert answer.headers["content-type"] == "application/json"
    schema.validate(answer.json(), "connections.schema.json")
    schema.validate(status, "status.schema.json")
    (connection,) = answer.json()["connections"]
    assert connection["client"] == client.local_address and connection["phase"] == "open"
    assert (connection["bytes_up"], connection["bytes_down"]) == (1, 1)


def test_a_connection_that_is_over_is_told_as_its_closed_line_tells_it(instance):
    client = instance.served()
    assert instance.get("/status.json").json()["closed"] == []
    client.close()
    line = instance.tunnel.closed()
    status = instance.get("/status.json").json()
    schema.validate(status, "status.schema.json")
    (closed,) = status["closed"]
    for key in ("service", "conn", "client", "target", "kind", "side", "bytes_up", "bytes_down", "tls"):
        assert closed[key] == line[key], key
    assert closed["lasted"] >= 0 and closed["ago"] >= 0


def test_clients_that_allow_denies_are_among_those_that_are_over(start):
    tunnel = start({"status": "127.0.0.1:0", "workers": 2, "svc": {
        "accept": "127.0.0.1:0", "connect": f"127.0.0.1:{free_port()}", "tls": False,
        "allow": ["192.0.2.0/24"]}})
    for _ in range(30):
        tunnel.connect("svc").read_to_end()
    lines = [tunnel.closed(count) for count in range(11, 31)]
    closed = web.get(web.address_of(tunnel), "/status.json").json()["closed"]
    assert [each["client"] for each in closed] == [line["client"] for line in lines]
    assert {each["kind"] for each in closed} == {"client_denied"}
    assert closed[0]["why"] == lines[0]["msg"]


def test_a_server_is_shown_with_its_names_its_issuers_and_its_key(start, serve_tls, pki):
    leaf = pki.intermediate.issue("shown")
    server = serve_tls(echo, identity=leaf)
    config = {"status": "127.0.0.1:0", "svc": {"accept": "127.0.0.1:0", "connect": server.address,
                                              "tls": {"ca": str(pki.ca.file)}}}
    tunnel = start(config)
    address = web.address_of(tunnel)
    assert web.get(address, "/status.json").json()["services"][0]["targets"][0]["identity"] is None
    tunnel.served("svc").close()
    status = web.get(address, "/status.json").json()
    schema.validate(status, "status.schema.json")
    identity = status["services"][0]["targets"][0]["identity"]
    assert base64.b64decode(identity["pin"].removeprefix("sha256:")).hex() == leaf.pin.removeprefix("sha256:")
    for name, certificate in (("subject", leaf.cert), ("issuer", pki.intermediate.cert)):
        assert identity[name] == certificate.subject.rfc4514_string()
    assert identity["path"] == [each.subject.rfc4514_string()
                                for each in (leaf.cert, pki.intermediate.cert, pki.ca.cert)]
    assert identity["not_after"] == leaf.cert.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert identity["tls_version"].startswith("TLS1.")
    page = web.get(address, "/").body
    assert html.escape(identity["pin"]) in page and html.escape(identity["issuer"]) in page


def test_connections_are_listed_page_by_page(instance):
    clients = [instance.served() for _ in range(5)]
    names, after = [], ""
    while after is not None:
        answer = instance.get("/connections.json?limit=2&after=" + urllib.parse.quote(after)).json()
        schema.validate(answer, "connections.schema.json")
        assert answer["total"] == 5 and len(answer["connections"]) <= 2
        names += [f"{each['service']}[{each['conn']}]" for each in answer["connections"]]
        after = answer["next"]
    assert names == [f"svc[{number}]" for number in range(1, 6)]
    some = instance.get("/connections.json?filter=" + urllib.parse.quote(clients[2].local_address)).json()
    assert [each["conn"] for each in some["connections"]] == [3] and some["next"] is None


def test_head_is_get_without_its_body(instance):
    whole, head = instance.get("/livez"), instance.get("/livez", method="HEAD")
    assert head.status == 200 and head.body == ""
    assert head.headers["content-length"] == whole.headers["content-length"] == "6"
    for path in ("/", "/metrics", "/status.json", "/connections.json", "/readyz?targets=1"):
        head = instance.get(path, method="HEAD")
        assert (head.status, head.body) == (200, "") and int(head.headers["content-length"]) > 0, path


def test_answers_forbid_browsers_to_make_more_of_them(instance):
    for path in ["/", "/livez", "/status.json", "/nothing"]:
        headers = instance.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_nothing_but_reading_is_allowed(instance, method):
    answer = instance.get("/livez", method=method)
    assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD"


def test_a_body_is_refused(instance):
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
    assert web.exchange(instance.address, request).status == 405
    assert web.exchange(instance.address, request.replace(b"POST", b"GET")).status == 400


@pytest.mark.parametrize("path", ["/nothing", "/livez/", "//livez", "/LIVEZ", "/%6civez",
                                  "/metrics/../livez", "/./livez", "/livez%00", "/status.json%2e",
                                  "/..%2f..%2fetc/passwd", "*"])
def test_only_exact_paths_are_there(instance, path):
    assert instance.get(path).status == 404


@pytest.mark.parametrize("host", ["localhost", "LocalHost:80", "127.0.0.1:9099", "[::1]", "[::1]:1",
                                  "10.1.1.1"])
def test_addresses_and_localhost_are_hosts(instance, host):
    assert instance.get("/livez", host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:9099", "",
                                  "127.0.0.1.evil.example", "localhost:80:80", "[::1", "a@localhost"])
def test_a_name_that_others_may_have_pointed_here_is_refused(instance, host):
    assert instance.get("/livez", host=host).status == 421


def test_a_request_without_host_is_refused(instance):
    assert web.exchange(instance.address, b"GET /livez HTTP/1.0\r\n\r\n").status == 421
    assert instance.get("/livez", host=None).status in (400, 421)


def test_a_host_in_status_hosts_is_allowed(instance):
    instance.config["status_hosts"] = ["monitor.example.com"]
    instance.tunnel.reload(instance.config)
    assert instance.get("/livez", host="Monitor.example.com:80").status == 200
    assert instance.get("/livez", host="other.example.com").status == 421


def test_two_hosts_are_one_too_many(instance):
    request = (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: other.example.com\r\n"
               b"Connection: close\r\n\r\n")
    assert web.exchange(instance.address, request).status == 400


def test_web_pages_of_others_are_refused(instance):
    assert instance.get("/livez", Origin="http://evil.example").status == 403
    assert instance.get("/livez", Origin="null").status == 403
    assert instance.get("/livez", Sec_Fetch_Site="cross-site").status == 403
    assert instance.get("/livez", Sec_Fetch_Site="none").status == 200
    assert instance.get("/livez", Sec_Fetch_Site="same-origin").status == 200


@pytest.mark.parametrize("size", [20_000, 1 << 20])
def test_a_request_that_is_too_long_is_refused(instance, size):
    answer = instance.get("/livez", Long="x" * size)
    assert answer is None or answer.status in (413, 414, 431)
    answer = instance.get("/" + "x" * size)
    assert answer is None or answer.status in (413, 414, 431)
    assert instance.get("/livez").status == 200


@pytest.mark.parametrize("junk", [b"\0" * 100, b"\r\n" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
                                  b"GET / HTTP/9.9\r\n\r\n", b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"],
                         ids=["zeros", "line ends", "no path", "TLS", "version", "proxy"])
def test_junk_harms_nobody(instance, junk):
    with web.connect(instance.address) as sock:
        sock.sendall(junk)
        sock.shutdown(socket.SHUT_WR)
        while _read(sock):
            pass
    assert instance.get("/livez").status == 200


def _read(sock):
    try:
        return sock.recv(4096)
    except ConnectionResetError:
        return b""


def test_one_connection_has_one_request(instance):
    request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = web.exchange(instance.address, request * 3)
    assert answer.status == 200 and answer.headers["connection"].lower() == "close"
    assert answer.body == "alive\n"


def test_slow_clients_are_cut_off_and_others_served(instance):
    """Sixteen are served at a time; the others wait in the kernel until those are over."""
    slow = [web.connect(instance.address) for _ in range(100)]
    for sock in slow:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ")
    client = instance.served()
    client.send(b"y")
    assert client.recv_exact(1) == b"y"  # the tunnel does not notice
    begun = time.monotonic()
    ended = False
    while not ended and time.monotonic() - begun < PATIENCE:
        try:
            slow[0].sendall(b"x")  # a byte now and then does not help it
            slow[0].settimeout(0.5)
            ended = slow[0].recv(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            ended = True
        except TimeoutError:
            pass
    assert ended
    for sock in slow:
        sock.close()
    assert instance.get("/livez").status == 200


def _all(sock):
    received = b""
    while piece := sock.recv(1 << 16):
        received += piece
    return received


def test_a_unix_socket_serves_status_to_its_owner(start, serve_tls, tmp_path):
    path = f"{tmp_path}/s"
    tunnel = start({"status": path, "svc": {"accept": "127.0.0.1:0",
                                            "connect": "127.0.0.1:1", "tls": False}})
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert web.get(path, "/livez").status == 200
    tunnel.terminate()
    assert not os.path.exists(path)


def test_a_client_of_a_unix_socket_is_shown_with_whose_it_is(start, serve, tmp_path):
    tunnel = start({"status": "127.0.0.1:0", "svc": {
        "accept": f"{tmp_path}/accept", "connect": serve(echo).address, "tls": False}})
    client = tunnel.served("svc")
    address = web.address_of(tunnel)
    answer = web.get(address, "/connections.json").json()
    schema.validate(answer, "connections.schema.json")
    assert [each["uid"] for each in answer["connections"]] == [os.getuid()]
    assert f"(uid {os.getuid()})" in web.get(address, "/").body
    client.close()


def test_the_last_check_of_a_target_is_told_with_how_it_went(start, serve, tmp_path):
    alive, dead = serve(echo).address, f"127.0.0.1:{free_port()}"
    tunnel = start({"status": "127.0.0.1:0", "svc": {
        "accept": "127.0.0.1:0", "connect": [alive, dead], "tls": False,
        "health": {"check": "tcp", "interval": "1s"}}})
    address = web.address_of(tunnel)

    def checked():
        status = web.get(address, "/status.json").json()
        schema.validate(status, "status.schema.json")
        checks = [target["last_check"] for target in status["services"][0]["targets"]]
        return checks if all(checks) else None

    passed, failed = eventually(checked, "both were checked")
    assert (passed["kind"], passed["why"]) == ("ok", "")
    assert failed["kind"] == "connect_refused" and dead in failed["why"]
    assert 0 < passed["took"] < PATIENCE
    page = web.get(address, "/").body
    assert re.search(r"check UP; [0-9.]+s ago, [0-9.]+ ms<", page), page
    assert html.escape(failed["why"]) in page.replace("&#39;", "&#x27;")


def test_an_address_that_is_taken_keeps_it_from_starting(instance, tmp_path):
    config = {**instance.config, "foreground": True, "status": instance.address}
    done = program.run(tmp_path, config=config)
    assert done.returncode == 1
    assert f"status cannot be served at {instance.address}: the address is already in use" in done.stderr


def test_a_reload_moves_the_status(instance):
    old = instance.address
    new = f"127.0.0.1:{free_port()}"
    instance.config["status"] = new
    assert instance.tunnel.reload(instance.config)["event"] == "reloaded"
    assert web.get(new, "/livez").status == 200
    with pytest.raises(ConnectionRefusedError):
        web.connect(old)
    del instance.config["status"]
    instance.tunnel.reload(instance.config)
    with pytest.raises(ConnectionRefusedError):
        web.connect(new)


def test_a_reload_that_cannot_bind_the_status_changes_nothing(instance):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        instance.config["status"] = taken
        line = instance.tunnel.reload(instance.config)
    assert line["event"] == "reload_failed" and f"status cannot be served at {taken}" in line["msg"]
    assert instance.get("/livez").status == 200


def test_a_reload_that_leaves_the_status_alone_cuts_nobody_off(instance):
    with web.connect(instance.address) as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: loc")
        instance.config["svc"]["max_connections"] = 7
        instance.tunnel.reload(instance.config)
        sock.sendall(b"alhost\r\n\r\n")
        assert web.parse(_all(sock)).status == 200


def test_an_address_for_others_has_to_be_allowed(tmp_path):
    config = {"foreground": True, "status": "0.0.0.0:0",
              "svc": {"accept": "127.0.0.1:0", "connect": "127.0.0.1:1", "tls": False}}
    done = program.run(tmp_path, "check", config=config)
    assert done.returncode == 2
    assert '"0.0.0.0:0" can be reached by other machines' in done.stderr + done.stdout
    done = program.run(tmp_path, "check", config={**config, "status_allow_remote": True})
    assert done.returncode == 0


def _at_80_columns(page, folder):
    file = folder / "page.html"
    file.write_text(page)
    return subprocess.run(["w3m", "-dump", "-cols", "80", "-T", "text/html", str(file)],
                          capture_output=True, text=True, timeout=PATIENCE).stdout


@pytest.mark.needs("w3m")
def test_the_page_shows_what_happens_and_reads_well_at_80_columns(instance):
    """w3m's dump is left in the test's folder."""
    dead = f"127.0.0.1:{free_port()}"
    instance.config["svc"] |= {"connect": [dead, instance.server.address], "balance": "first",
                               "health": {"check": "tls", "interval": "1h"}}
    instance.tunnel.reload(instance.config)
    over, client = instance.served(), instance.served()
    over.close()
    instance.tunnel.closed()

    def checked():
        [service] = instance.get("/status.json").json()["services"]
        return all(target["last_check"] for target in service["targets"])

    eventually(checked, "both targets were checked")
    answer = instance.get("/?refresh=5")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in answer.body and "http-equiv=refresh content=5" in answer.body
    shown = _at_80_columns(answer.body, instance.folder)
    (instance.folder / "w3m.txt").write_text(shown)
    assert "✓ up" in shown and instance.server.address in shown
    assert "connect_refused" in shown and dead in shown
    assert "svc[2]" in shown and client.local_address in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    client.close()
    instance.tunnel.wait_for_event("closed", 2)
    body = instance.get("/").body
    assert "svc[2]" not in body.partition("<h2 id=closed>")[0]
    assert "svc[2]" in body


def test_the_page_gives_the_reason_that_the_log_gives(start, serve_tls, pki):
    server = serve_tls(echo)
    tunnel = start({"status": "127.0.0.1:0", "svc": {
        "accept": "127.0.0.1:0", "connect": server.address,
        "health": {"eject_time": "1h", "eject_max": "1h"},
        "tls": {"ca": str(pki.ca.file), "name": "<b>other</b>.example.com"}}})
    tunnel.connect("svc").read_to_end()
    failed = tunnel.wait_for_event("dial_failed")
    tunnel.closed()
    page = web.get(web.address_of(tunnel), "/").body
    assert "✗ ejected" in page.replace("&#10007;", "✗") and "cert_name_mismatch" in page
    assert html.escape(failed["msg"]) in page.replace("&#39;", "&#x27;")
    assert "<b>" not in page
