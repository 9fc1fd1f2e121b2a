# SPDX-License-Identifier: MIT
"""Fixtures for configurations as people write them for stunnel, run three ways: by stunnel, by the
tunnel from the same file, and by the tunnel from the TOML that `convert` makes of it. What client and
server see must be the same; where it is not, the test is called after what is better here."""

import shutil
import subprocess

import pytest
from harness.pki import CLIENT_AUTH
from harness.server import echo
from harness.stunnel import KINDS, Program, Witness


@pytest.fixture(params=KINDS, ids=["by-stunnel", "by-tunnel", "by-toml"])
def kind(request):
    return request.param


@pytest.fixture
def program(kind, tmp_path, keep):
    """program(text) runs it, in one of the three ways."""
    return lambda text, **kwargs: keep(Program(kind, tmp_path, text, **kwargs))


@pytest.fixture
def witness(keep, pki):
    """witness(script, identity, ...) is a TLS server that remembers what clients showed."""

    def start(script=echo, identity=None, port=0, path=None, **options):
        return keep(Witness(script, pki.context(identity, **options), port=port, path=path))

    return start


@pytest.fixture
def fill(tmp_path, pki):
    """fill(text, server) puts addresses and files into a configuration."""

    def fill(text, server=None, **more):
        own = pki.leaf("client", purposes=[CLIENT_AUTH])
        capath = tmp_path / "certs"
        if not capath.exists():
            capath.mkdir()
            shutil.copy(pki.ca.file, capath / "ca.pem")
            subprocess.run(["openssl", "rehash", capath], check=True, capture_output=True)
        places = dict(ca=pki.ca.file, leaf=pki.leaf().cert_file, capath=capath, dir=tmp_path,
                      cert=own.chain_file, key=own.key_file)
        if server:
            places |= dict(server=f"localhost:{server.port}", server4=server.address)
        return text.format(**places, **more)

    return fill
