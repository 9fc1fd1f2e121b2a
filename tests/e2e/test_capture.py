# SPDX-License-Identifier: MIT
"""The decrypted traffic as tshark reads it, from files and live."""

import hashlib
import json
import os
import pathlib
import pwd
import re
import socket
import subprocess
import tempfile
import threading

import pytest
from harness import tunnel as program
from harness.capture import Live, assert_no_remarks, fields, payload, ring, tshark
from harness.peer import Peer
from harness.server import echo
from harness.slapd import Slapd
from harness.wait import PATIENCE

pytestmark = pytest.mark.needs("tshark")

@pytest.fixture
def tunnel(start, pki, tmp_path):
    """Starts one with a control socket."""
    def begin(connect, top=(), **more):
        return start({"workers": 2, "control": f"{tmp_path}/c", **dict(top),
                      "svc": {"accept": "127.0.0.1:0", "connect": connect,
                              "tls": {"ca": str(pki.ca.file)}, **more}})
    return begin


def one_exchange(tunnel, sent=b"hello"):
    client = tunnel.connect("svc")
    client.send(sent)
    assert client.recv_exact(len(sent)) == sent
    client.half_close()
    client.expect_eof()
    client.close()
    tunnel.closed()


def test_a_directory_search_is_read_by_the_ldap_dissector(tunnel, keep, pki, tmp_path):
    slapd = keep(Slapd(tmp_path, pki.leaf()))
    t = tunnel(slapd.tls_address, health={"check": "ldap"},
               capture={"file": f"{tmp_path}/svc.pcapng"})
    found = subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-H", f"ldap://{t.address('svc')}", "-b", "dc=example,dc=test",
         "(uid=user00003)", "mail"], capture_output=True, text=True, timeout=PATIENCE)
    assert found.returncode == 0, found.stderr
    t.closed()
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert oct(os.stat(file).st_mode & 0o777) == "0o600"
    operations = [row[0] for row in fields(file, "ldap", "ldap.protocolOp")]
    assert operations[0] == "0" and "3" in operations  # bindRequest, searchRequest
    text = tshark(file, "-Y", "ldap")
    assert "bindRequest" in text and "searchRequest" in text and "searchResDone" in text
    assert_no_remarks(file)
    comments = "".join(row[0] for row in fields(file, "frame.comment", "frame.comment"))
    assert "svc[1]" in comments and "TLS1.3" in comments and "kind=ok" in comments
    [interface] = set(row[0] for row in fields(file, "frame", "frame.interface_name"))
    assert interface == "svc"


def test_every_octet_of_a_long_transfer_is_in_the_file(tunnel, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    t = tunnel(server.address, capture={"file": f"{tmp_path}/svc.pcapng", "max_size": "1GiB"})
    # Less than may be on its way to the file: nothing is dropped, however slow the disk.
    sent = os.urandom(1 << 20) * 6
    client = t.connect("svc")
    sender = threading.Thread(target=client.send, args=(sent,))
    sender.start()
    assert client.recv_exact(len(sent)) == sent
    sender.join()
    client.close()
    t.closed()
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert hashlib.sha256(payload(file, "dst", server.port)).digest() == hashlib.sha256(
        sent).digest()
    assert payload(file, "src", server.port) == sent
    assert_no_remarks(file)


def test_a_live_capture_sees_connections_that_were_open_before_it(tunnel, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    t = tunnel(server.address)
    client = t.connect("svc")
    client.send(b"before")
    assert client.recv_exact(6) == b"before"
    live = Live(t, tmp_path, "svc")
    client.send(b"during")
    assert client.recv_exact(6) == b"during"
    file = live.stop()
    stopped = t.wait_for_event("capture_stopped")
    assert stopped["dropped"] == 0 and "left" in stopped["msg"]
    assert payload(file, "dst", server.port) == b"during"
    assert payload(file, "src", server.port) == b"during"
    client.send(b"after")
    assert client.recv_exact(5) == b"after"


def test_a_reset_is_a_reset_and_a_half_close_a_fin(tunnel, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    t = tunnel(server.address, capture={"file": f"{tmp_path}/svc.pcapng"})
    one_exchange(t)
    client = t.connect("svc")
    client.send(b"x")
    assert client.recv_exact(1) == b"x"
    client.reset()
    t.closed(kind="reset_by_client")
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert len(fields(file, "tcp.stream == 0 and tcp.flags.fin == 1", "frame.number")) == 2
    assert not fields(file, "tcp.stream == 0 and tcp.flags.reset == 1", "frame.number")
    [[source, comment]] = fields(file, "tcp.stream == 1 and tcp.flags.reset == 1", "tcp.dstport",
                                 "frame.comment")
    assert source == str(server.port) and "kind=reset_by_client" in comment
    assert_no_remarks(file)


def test_files_form_a_ring_and_each_is_complete(tunnel, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    t = tunnel(server.address,
               capture={"file": f"{tmp_path}/svc.pcapng", "max_size": "64KiB", "files": 2})
    client = t.connect("svc")
    for _ in range(40):
        client.send(b"x" * 16384)
        assert client.recv_exact(16384) == b"x" * 16384
    client.close()
    t.closed()
    assert t.terminate() == 0
    files = ring(tmp_path)
    assert len(files) == 2
    for file in files:
        assert os.stat(file).st_size < 2 * 65536  # its last packet may be beyond it
        assert fields(file, "tcp", "frame.interface_name")[0] == ["svc"]


def test_a_folder_that_cannot_be_written_is_said_before_anything_starts(run, pki, tmp_path):
    done = run("check", config={"svc": {"accept": "127.0.0.1:0", "connect": "127.0.0.1:1",
                                        "capture": {"file": f"{tmp_path}/none/x.pcapng"}}})
    assert done.returncode == 2
    assert "none/x.pcapng" in done.stderr and "No such file" in done.stderr


def test_never_refuses_captures_from_anywhere(tunnel, serve_tls, run, tmp_path):
    t = tunnel(serve_tls(echo).address, top={"capture": "never"})
    done = program.run(tmp_path, "capture", t.path, "-w", tmp_path / "x")
    assert done.returncode == 1 and "never" in done.stderr
    done = run("check", config={"capture": "never",
                                "svc": {"accept": "127.0.0.1:0", "connect": "127.0.0.1:1",
                                        "capture": {"file": f"{tmp_path}/x.pcapng"}}})
    assert done.returncode == 2 and 'capture = "never"' in done.stderr


def test_only_chosen_clients_are_captured(tunnel, serve_tls, tmp_path):
    t = tunnel(serve_tls(echo).address, capture={"file": f"{tmp_path}/svc.pcapng",
                                                 "clients": ["10.0.0.0/8"]})
    one_exchange(t)
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert tshark(file) == ""


def test_a_capture_goes_on_over_a_reload_that_leaves_it_alone(tunnel, serve_tls, pki, tmp_path):
    servers = [serve_tls(echo), serve_tls(echo)]
    capture = {"file": f"{tmp_path}/svc.pcapng"}
    t = tunnel(servers[0].address, capture=capture)
    one_exchange(t, b"first")
    config = {"workers": 2, "control": f"{tmp_path}/c",
              "svc": {"accept": "127.0.0.1:0", "connect": servers[1].address,
                      "tls": {"ca": str(pki.ca.file)}, "capture": capture}}
    reloaded = t.reload(config)
    assert reloaded["event"] == "reloaded", reloaded
    one_exchange(t, b"second")
    assert not t.log.find("capture_stopped")
    del config["svc"]["capture"]
    assert t.reload(config)["event"] == "reloaded"
    t.wait_for_event("capture_stopped")
    [file] = ring(tmp_path)
    assert payload(file, "dst", servers[0].port) == b"first"
    assert payload(file, "dst", servers[1].port) == b"second"


def test_a_capture_whose_duration_is_over_stays_over(tunnel, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    capture = {"file": f"{tmp_path}/svc.pcapng", "duration": "1s"}
    config = {"workers": 2, "control": f"{tmp_path}/c",
              "svc": {"accept": "127.0.0.1:0", "connect": server.address,
                      "tls": {"ca": str(pki.ca.file)}, "capture": capture}}
    t = tunnel(server.address, capture=capture)
    assert "duration" in t.wait_for_event("capture_stopped")["msg"]
    config["svc"]["max_connections"] = 5
    assert t.reload(config)["event"] == "reloaded"
    assert len(t.log.find("capture_started")) == 1
    capture["duration"] = "1h"
    assert t.reload(config)["event"] == "reloaded"
    t.wait_for_event("capture_started", 2)


def test_a_reader_that_stands_still_costs_packets_and_nothing_else(tunnel, serve_tls, tmp_path):
    t = tunnel(serve_tls(echo).address)
    reader = socket.socket(socket.AF_UNIX)
    reader.connect(f"{tmp_path}/c")
    reader.sendall(b'{"v":1,"command":"capture","services":["svc"]}\n')
    t.wait_for_event("capture_started")
    client = t.connect("svc")
    block = os.urandom(1 << 16)
    for _ in range(1200):
        client.send(block)
        assert client.recv_exact(len(block)) == block
    status = json.loads(program.run(tmp_path, "status", t.path, "--json").stdout)
    assert status["captures"][0]["by"].startswith("uid ")
    assert "capturing svc (plain) to" in program.run(tmp_path, "status", t.path).stdout
    # It reads on: what is missing is told.
    seen = bytearray()
    reader.settimeout(PATIENCE)
    while b"\n" not in seen:
        seen += reader.recv(1 << 16)
    assert json.loads(seen.split(b"\n")[0])["ok"] is True
    reader.shutdown(socket.SHUT_WR)
    while got := reader.recv(1 << 20):
        seen += got
    stopped = t.wait_for_event("capture_stopped")
    assert stopped["dropped"] > 0
    file = tmp_path / "slow.pcapng"
    file.write_bytes(bytes(seen).split(b"\n", 1)[1])
    tshark(file)


def test_plain_services_and_unix_clients_are_captured(start, serve, tmp_path):
    server = serve(echo)
    t = start({"svc": {"accept": f"{tmp_path}/s", "connect": server.address, "tls": False,
                       "capture": {"file": f"{tmp_path}/svc.pcapng", "port": 1234}}})
    client = Peer.connect(f"{tmp_path}/s")
    client.send(b"x")
    assert client.recv_exact(1) == b"x"
    client.close()
    t.closed()
    assert t.terminate() == 0
    [file] = ring(tmp_path)
    assert payload(file, "dst", 1234) == b"x"
    comment = fields(file, "tcp.flags.syn == 1 and tcp.flags.ack == 0", "frame.comment")[0][0]
    assert f"pid={os.getpid()}" in comment


def test_wireshark_finds_each_service_as_an_interface(start, serve_tls, pki):
    # Of root Wireshark takes no other extcap folder: the tunnel becomes somebody else, who looks.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chown(folder, user.pw_uid, user.pw_gid)
        (folder / "tunnelcap").symlink_to(program.BINARY)
        t = start({"control": f"{folder}/c", **({"user": "nobody"} if os.geteuid() == 0 else {}),
                   "svc": {"accept": "127.0.0.1:0", "connect": serve_tls(echo).address,
                           "tls": {"ca": str(pki.ca.file)}}})
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} \
            if os.geteuid() == 0 else {}
        env = {**os.environ, "WIRESHARK_EXTCAP_DIR": name, "TUNNEL_CONTROL": f"{folder}/c",
               "HOME": name}
        listed = subprocess.run(["tshark", "-D"], capture_output=True, text=True, env=env,
                                timeout=PATIENCE, **as_user).stdout
        interface = f"tunnel:{folder}/c:svc"
        assert f"{interface} (tunnel: svc (plaintext))" in listed
        file = folder / "x.pcapng"
        capture = subprocess.Popen(["tshark", "-i", interface, "-w", str(file), "-c", "5"], env=env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   **as_user)
        t.wait_for_event("capture_started")
        one_exchange(t, b"hello")
        _, err = capture.communicate(timeout=PATIENCE)
        assert capture.returncode == 0, err
        assert b"hello" in file.read_bytes()
        t.wait_for_event("capture_stopped")


def test_an_instance_is_found_where_its_configuration_has_its_socket(tunnel, serve_tls, tmp_path):
    tunnel(serve_tls(echo).address)
    link = tmp_path / "tunnelcap"
    link.symlink_to(program.BINARY)
    listed = subprocess.run([link, "--extcap-interfaces", "--extcap-version=4.0"], text=True,
                            capture_output=True, timeout=PATIENCE)
    assert listed.returncode == 0, listed.stderr
    assert f"interface {{value=tunnel:{tmp_path}/c:svc}}{{display=tunnel: svc (plaintext)}}" in \
        listed.stdout.splitlines()


def test_a_service_is_captured_whatever_its_name_and_its_socket_have_in_them(
        start, serve, tmp_path):
    name = "db: {a} 50%3A"
    t = start({"control": f"{tmp_path}/c:{{1}}",
               name: {"accept": "127.0.0.1:0", "connect": serve(echo).address, "tls": False}})
    link = tmp_path / "tunnelcap"
    link.symlink_to(program.BINARY)
    listed = subprocess.run([link, "--extcap-interfaces", "--extcap-version=4.0"], text=True,
                            capture_output=True, timeout=PATIENCE).stdout
    # As Wireshark takes it apart. There may be other instances.
    [interface] = re.findall(r"\{value=(tunnel:" + re.escape(str(tmp_path)) + r"[^{}]*)\}"
                             r"\{display=tunnel: db:  a  50%3A \(plaintext\)\}", listed)
    (tmp_path / "fifo").touch()
    capturing = subprocess.Popen([link, "--extcap-interface", interface, "--capture", "--fifo",
                                  tmp_path / "fifo"])
    t.wait_for_event("capture_started")
    t.served(name).close()
    assert t.terminate() == 0
    assert capturing.wait(PATIENCE) == 0


def test_an_interface_has_the_options_of_the_command(tunnel, serve_tls, tmp_path):
    t = tunnel(serve_tls(echo).address)
    link = tmp_path / "tunnelcap"
    link.symlink_to(program.BINARY)
    interface = [link, "--extcap-interface", f"tunnel:{tmp_path}/c:svc"]
    listed = subprocess.run([*interface, "--extcap-config"], text=True, capture_output=True,
                            timeout=PATIENCE).stdout
    for option in ("--client", "--layer", "--snaplen", "--duration", "--max-size"):
        assert f"{{call={option}}}" in listed
    (tmp_path / "fifo").touch()
    capturing = subprocess.Popen([*interface, "--capture", "--fifo", tmp_path / "fifo",
                                  "--max-size", "1KiB"])
    t.wait_for_event("capture_started")
    one_exchange(t, b"x" * 2000)
    assert capturing.wait(PATIENCE) == 0
    assert "max_size" in t.wait_for_event("capture_stopped")["msg"]


def test_a_probe_leaves_its_handshakes_decrypted_in_one_file(serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    file = tmp_path / "probe.pcapng"
    config = {"svc": {"accept": "127.0.0.1:0", "connect": server.address,
                      "tls": {"ca": str(pki.ca.file), "name": "another.example.com"}}}
    path = program.write_config(tmp_path, config)
    done = program.run(tmp_path, "probe", path, "--capture", file)
    assert done.returncode == 1 and "cert_name_mismatch" in done.stdout
    assert oct(os.stat(file).st_mode & 0o777) == "0o600"
    assert fields(file, "tls.handshake.type == 11", "frame.number")
    comments = " ".join(row[0] for row in fields(file, "frame.comment", "frame.comment"))
    assert "probe of svc" in comments and "kind=cert_name_mismatch" in comments
    done = program.run(tmp_path, "probe", path, "--capture", tmp_path / "none" / "x")
    assert done.returncode == 1 and "none/x" in done.stderr
