# SPDX-License-Identifier: MIT
"""Renewed certificates are taken over without a signal, whatever way they come."""

import hashlib
import pathlib
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from harness.pki import CLIENT_AUTH
from harness.server import echo
from harness.wait import eventually


def seen_certificate(peer):
    """Tells the client which certificate it has shown."""
    peer.send(hashlib.sha256(peer.tls.getpeercert(binary_form=True)).digest())
    echo(peer)


def fingerprint(identity):
    return hashlib.sha256(identity.cert.public_bytes(Encoding.DER)).digest()


class Renewal:
    """A tunnel whose client certificate can be renewed, and a server that says what it was shown."""

    def __init__(self, start, serve_tls, pki, folder):
        self.old, self.new = (pki.ca.issue(label, purposes=[CLIENT_AUTH])
                              for label in ("robot-old", "robot-new"))
        self.folder = folder
        self.server = serve_tls(seen_certificate, client_ca=pki.ca)
        self.pki = pki
        self.start = start

    def run(self, cert, key):
        self.tunnel = self.start({
            "certificate_poll": "100ms",
            "svc": {"accept": "127.0.0.1:0", "connect": self.server.address,
                    "tls": {"ca": str(self.pki.ca.file), "cert": str(cert), "key": str(key)}}})
        assert self.shown() == fingerprint(self.old)

    def shown(self):
        with self.tunnel.connect("svc") as client:
            return client.recv_exact(32)

    def is_taken_over(self):
        line = self.tunnel.wait_for_event("certificates_reloaded", service="svc")
        assert line["old"] == "sha256:" + fingerprint(self.old).hex()
        assert line["new"] == "sha256:" + fingerprint(self.new).hex()
        assert line["not_after"].endswith("Z")
        return self.shown() == fingerprint(self.new)


@pytest.fixture
def renewal(start, serve_tls, pki, tmp_path):
    return Renewal(start, serve_tls, pki, tmp_path)


def test_kubernetes_swap_of_a_link(renewal):
    for version, identity in (("v1", renewal.old), ("v2", renewal.new)):
        (renewal.folder / version).mkdir()
        (renewal.folder / version / "tls.crt").write_bytes(identity.chain_file.read_bytes())
        (renewal.folder / version / "tls.key").write_bytes(identity.key_file.read_bytes())
    (renewal.folder / "..data").symlink_to("v1")
    for name in ("tls.crt", "tls.key"):
        (renewal.folder / name).symlink_to(f"..data/{name}")
    renewal.run(renewal.folder / "tls.crt", renewal.folder / "tls.key")
    (renewal.folder / "..data_tmp").symlink_to("v2")
    (renewal.folder / "..data_tmp").rename(renewal.folder / "..data")
    assert renewal.is_taken_over()


def test_certbot_links_changed_one_after_the_other(renewal):
    archive, live = renewal.folder / "archive", renewal.folder / "live"
    archive.mkdir()
    live.mkdir()
    for number, identity in ((1, renewal.old), (2, renewal.new)):
        (archive / f"cert{number}.pem").write_bytes(identity.chain_file.read_bytes())
        (archive / f"key{number}.pem").write_bytes(identity.key_file.read_bytes())
    for name in ("cert", "key"):
        (live / f"{name}.pem").symlink_to(f"../archive/{name}1.pem")
    renewal.run(live / "cert.pem", live / "key.pem")
    client = renewal.tunnel.connect("svc")
    assert client.recv_exact(32) == fingerprint(renewal.old)

    def move(name):
        (live / "new").symlink_to(f"../archive/{name}2.pem")
        (live / "new").rename(live / f"{name}.pem")

    move("cert")
    # A certificate without its key: the old pair serves on, and a warning says why.
    eventually(lambda: any("not taken over" in e["msg"] for e in renewal.tunnel.log.find("notice")),
               "a warning about the half pair")
    assert renewal.shown() == fingerprint(renewal.old)
    move("key")
    assert renewal.is_taken_over()
    client.send(b"x")
    assert client.recv_exact(1) == b"x"


def test_files_rewritten_in_place_byte_by_byte_under_load(renewal):
    cert, key = renewal.folder / "cert.pem", renewal.folder / "key.pem"
    cert.write_bytes(renewal.old.chain_file.read_bytes())
    key.write_bytes(renewal.old.key_file.read_bytes())
    renewal.run(cert, key)
    shown, failures, stop = set(), [], threading.Event()

    def load():
        while not stop.is_set():
            try:
                shown.add(renewal.shown())
            except BaseException as error:  # noqa: BLE001
                failures.append(repr(error))
                return

    loader = threading.Thread(target=load)
    loader.start()
    for path, content in ((key, renewal.new.key_file), (cert, renewal.new.chain_file)):
        with pathlib.Path(path).open("wb") as out:
            for byte in content.read_bytes():
                out.write(bytes([byte]))
                out.flush()
    assert renewal.is_taken_over()
    stop.set()
    loader.join()
    assert not failures
    assert shown <= {fingerprint(renewal.old), fingerprint(renewal.new)}


def test_a_changed_authority_is_taken_over_and_only_for_its_service(start, serve_tls, pki, tmp_path):
    server = serve_tls(echo)
    ca = tmp_path / "ca.pem"
    ca.write_bytes(pki.untrusted.chain_file.read_bytes())
    tunnel = start({"certificate_poll": "100ms",
                    "svc": {"accept": "127.0.0.1:0", "connect": server.address,
                            "tls": {"ca": str(ca)}, "health": {"eject_time": 0}},
                    "other": {"accept": "127.0.0.1:0", "connect": server.address,
                              "tls": {"ca": str(pki.ca.file)}}})
    with tunnel.connect("svc") as client:
        client.expect_reset()
    ca.write_bytes(pathlib.Path(pki.ca.file).read_bytes())
    tunnel.wait_for_event("certificates_reloaded", service="svc")
    with tunnel.connect("svc") as client:
        client.send(b"x")
        assert client.recv_exact(1) == b"x"
    assert not tunnel.log.find("certificates_reloaded", service="other")
