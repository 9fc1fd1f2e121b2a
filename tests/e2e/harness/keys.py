# SPDX-License-Identifier: MIT
"""Client keys in every form: encrypted files, PKCS#12, a PKCS#11 token; and stunnel as a server."""

import os
import pathlib
import re
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from .process import Background

PASSWORD, PIN = "geheim", "1234"


def secret(folder, name, content):
    """A file that only we can read."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def encrypted(folder, identity, form):
    """The identity's key in a file that wants PASSWORD: "pkcs8", "legacy" or "der"."""
    formats = {"pkcs8": serialization.PrivateFormat.PKCS8,
               "legacy": serialization.PrivateFormat.TraditionalOpenSSL,
               "der": serialization.PrivateFormat.PKCS8}
    encoding = serialization.Encoding.DER if form == "der" else serialization.Encoding.PEM
    return secret(folder, f"{form}.key", identity.key.private_bytes(
        encoding, formats[form], serialization.BestAvailableEncryption(PASSWORD.encode())))


def make_pkcs12(folder, identity, issuers=()):
    return secret(folder, "robot.p12", pkcs12.serialize_key_and_certificates(
        b"robot", identity.key, identity.cert, list(issuers),
        serialization.BestAvailableEncryption(PASSWORD.encode())))


class SoftToken:
    """A token of SoftHSM with one key and its certificate, both called "robot"; programs with `env`
    see it."""

    def __init__(self, folder, identity):
        self.folder = folder / "softhsm"
        (self.folder / "tokens").mkdir(parents=True)
        config = self.folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {self.folder}/tokens\n"
                          "objectstore.backend = file\nlog.level = ERROR\n")
        self.env = {"SOFTHSM2_CONF": str(config), "GNUTLS_PIN": PIN}
        self._run("softhsm2-util", "--init-token", "--free", "--label", "robots", "--pin", PIN,
                  "--so-pin", "56789")
        token = "pkcs11:token=robots"
        for what, path in (("privkey", identity.key_file), ("certificate", identity.cert_file)):
            self._run("p11tool", "--batch", "--login", "--write", f"--load-{what}", path, "--label",
                      "robot", "--id", "01", token)
        del self.env["GNUTLS_PIN"]
        self.uri = f"{token};object=robot"

    def _run(self, *argv):
        subprocess.run([*map(str, argv)], env={**os.environ, **self.env}, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)


class StunnelServer:
    """stunnel as a TLS server in front of `backend`; `options` are lines of its service."""

    def __init__(self, folder, backend, *options):
        path = pathlib.Path(folder) / f"stunnel.{os.urandom(3).hex()}.conf"
        path.write_text("\n".join(["foreground = yes", "debug = info", "pid =", "[server]",
                                   "accept = 127.0.0.1:0", f"connect = {backend}", *options, ""]))
        self.background = Background(["stunnel4", path], folder, "stunnel")
        self.address = self.background.wait_until(self._address, "listens")

    def _address(self):
        found = re.search(r"Service \[server\] \(FD=\d+\) bound to (127\.0\.0\.1:\d+)", self.text())
        return found and found[1]

    def text(self):
        return self.background.text()

    def wait_for_text(self, text):
        self.background.wait_until(lambda: text in self.text(), f"logs {text!r}")

    def stop(self):
        self.background.stop()
