# SPDX-License-Identifier: MIT
"""The root file system of the container, with this program in it: run from it as a container runtime
would, without root, where nothing can be written but /run/tunnel-tunnel."""

import os
import pathlib
import re
import signal
import subprocess

import pytest
from harness import expect, netns, ports, tunnel
from harness.process import Background
from harness.server import echo
from harness.tunnel import write_config
from harness.wait import PATIENCE, SANITIZED

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
              pytest.mark.skipif(not netns.can_mount(), reason="no mount namespaces"),
              pytest.mark.skipif(SANITIZED, reason="is about the program that people get"),
              pytest.mark.needs("chroot", "unshare", "nsenter", "ldd")]

PACKAGING = pathlib.Path(__file__).parents[2] / "packaging/container"
NOBODY = "65532"
LARGEST = 60 << 20
PROGRAM = "/usr/bin/tunnel"
FILE = "/etc/tunnel/tunnel.toml"


class Image:
    def __init__(self, folder):
        self.root = folder / "image"
        done = subprocess.run(["sh", PACKAGING / "root.sh", self.root, tunnel.BINARY],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def size(self):
        return sum(p.lstat().st_size for p in self.root.rglob("*") if not p.is_symlink())

    def start(self, folder):
        """As the Containerfile says: user, environment, arguments."""
        mounts = (f"mount --bind {self.root} {self.root} && mount -o remount,bind,ro {self.root} && "
                  f"mount -t proc proc {self.root}/proc && mount --bind /dev {self.root}/dev && "
                  f"mount -t tmpfs -o mode=0700,uid={NOBODY} tmpfs {self.root}/run/tunnel-tunnel")
        argv = ["unshare", "--mount", "sh", "-c", mounts + ' && exec "$@"', "container",
                "chroot", f"--userspec={NOBODY}:{NOBODY}", self.root, PROGRAM, "--foreground", FILE]
        return Background(argv, folder, "container", env={"PATH": os.environ["PATH"],
                                                          "XDG_RUNTIME_DIR": "/run"})

    @staticmethod
    def execute(container, *argv):
        """In the running container, as its health check."""
        return subprocess.run(
            ["nsenter", f"--target={container.process.pid}", "--mount", "--root", "-S", NOBODY,
             "-G", NOBODY, *argv], env={"XDG_RUNTIME_DIR": "/run", "PATH": os.environ["PATH"]},
            capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return Image(tmp_path_factory.mktemp("container"))


def test_the_image_is_small_and_has_no_shell(image):
    assert image.size() < LARGEST
    assert not list(image.root.rglob("sh")) and (image.root / "usr/bin/tunnel").exists()
    assert (image.root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 0


def test_it_serves_without_root_and_without_writing(image, serve_tls, pki, tmp_path, keep):
    address = f"127.0.0.1:{ports.free_port()}"
    (image.root / "etc/tunnel/ca.pem").write_bytes(pathlib.Path(pki.ca.file).read_bytes())
    config = write_config(image.root / "etc/tunnel", {
        "svc": {"accept": address, "connect": f"127.0.0.1:{serve_tls(echo).port}",
                "tls": {"ca": "ca.pem", "name": "server.test"}}}, "tunnel.toml")
    config.chmod(0o644)
    (image.root / "etc/tunnel/ca.pem").chmod(0o644)
    container = keep(image.start(tmp_path))
    container.wait_until(lambda: ports.is_open(*address.split(":")), "listens")
    expect.exchange(address)
    healthy = image.execute(container, PROGRAM, "status", FILE)
    assert healthy.returncode == 0, healthy.stderr
    status = pathlib.Path(f"/proc/{container.process.pid}/status").read_text()
    assert re.search(rf"^Uid:\t{NOBODY}\t{NOBODY}", status, re.MULTILINE)
    container.process.send_signal(signal.SIGTERM)  # STOPSIGNAL
    assert container.process.wait(PATIENCE) == 0, container.text()
    unhealthy = subprocess.run(
        ["chroot", f"--userspec={NOBODY}:{NOBODY}", image.root, PROGRAM, "status", FILE],
        env={"XDG_RUNTIME_DIR": "/run", "PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert unhealthy.returncode == 1


def test_the_containerfile_says_what_was_tried_here():
    text = (PACKAGING / "Containerfile").read_text()
    assert f"USER {NOBODY}:{NOBODY}" in text and "ENV XDG_RUNTIME_DIR=/run" in text
    assert f'"{PROGRAM}", "status", "{FILE}"' in text
    assert f'CMD ["--foreground", "{FILE}"]' in text
