# SPDX-License-Identifier: MIT
"""Fixtures of the end-to-end tests.

They drive the real binary against real servers on loopback:

    /usr/bin/python3 -m pytest tests/e2e [-m "not heavy"] [--shuffle SEED]

TUNNEL            the binary, default build/src/cli/tunnel
TUNNEL_SANITIZED  1: the binary is instrumented; deadlines are longer, and tests that measure memory
                  or hold thousands of connections are skipped
TUNNEL_TEST_SANDBOX  "require": tunnels run in the strict sandbox, unless a test says otherwise
"""

import contextlib
import functools
import itertools
import random
import subprocess

import pytest
from harness import process, programs, tunnel
from harness.dns import DnsServer
from harness.manager import Manager
from harness.pki import Pki
from harness.server import Server, TlsServer, echo
from harness.wait import SANITIZED

pytest_plugins = ["harness.stunnel_fixtures"]


def pytest_addoption(parser):
    parser.addoption("--shuffle", metavar="SEED", nargs="?", type=int,
                     const=random.randrange(1_000_000),
                     help="random order, of the files and of the tests in each; the header says SEED")


def pytest_configure(config):
    process.adopt_daemons()


def pytest_report_header(config):
    seed = config.getoption("shuffle")
    return None if seed is None else f"order: --shuffle {seed}"


def _shuffle(items, seed):
    """The tests of a file stay together: many share its servers."""
    chance = random.Random(seed)
    files = [list(tests) for _, tests in itertools.groupby(items, lambda item: item.path)]
    for tests in files:
        chance.shuffle(tests)
    chance.shuffle(files)
    items[:] = itertools.chain(*files)


# Marked `once`: not again for an instrumented binary, which starts in a fifth of a second. They are about
# other programs, the harness, or what a stunnel.conf becomes, or drive what the unit tests and the
# fuzzers' corpora have under sanitizers. What breaks, ends or lies is not here.
ONCE = tuple(f"test_{name}" for name in (
    "balancing", "browser", "capture", "capture_protocols", "capture_wire", "cli", "client_keys",
    "command_line_services", "control", "daemon", "databases", "dns", "examples",
    "failures_certificate", "failures_handshake", "gateways", "harness", "listeners", "mail",
    "metrics", "metrics_surroundings", "monitoring_examples", "networks", "privileges", "probe",
    "probe_checks", "probe_plugin", "proxies", "service_manager", "services", "socket_options",
    "sources", "starttls", "stunnel_cases", "stunnel_files", "stunnel_mistakes",
    "stunnel_protocols", "stunnel_tls", "upgrade", "web"))


def pytest_collection_modifyitems(config, items):
    if (seed := config.getoption("shuffle")) is not None:
        _shuffle(items, seed)
    for item in items:
        if item.path.stem in ONCE:
            item.add_marker(pytest.mark.once)
        if SANITIZED and item.get_closest_marker("heavy"):
            item.add_marker(pytest.mark.skip(reason="measures what instrumentation distorts"))
        needs = item.get_closest_marker("needs")
        if needs and (absent := programs.missing(*needs.args)):
            item.add_marker(pytest.mark.skip(reason=f"{absent} is not installed"))
        for key in (a for m in item.iter_markers("knows") for a in m.args):
            if not _is_known(key):
                item.add_marker(pytest.mark.skip(reason=f"this version does not know {key}"))


@functools.cache
def _is_known(key):
    return subprocess.run([tunnel.BINARY, "explain", key], capture_output=True).returncode == 0


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def stack():
    """Whatever must be stopped after the test: last started, first stopped."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def keep(stack):
    """keep(x) gives x back and calls x.stop() after the test."""

    def keep(thing):
        stack.callback(thing.stop)
        return thing

    return keep


@pytest.fixture
def own(tmp_path, keep, pki):
    """own(kind, ...) starts one of the real servers for this test alone: nothing that earlier tests
    did can appear in its log."""
    return lambda kind, **kwargs: keep(kind(tmp_path, pki.leaf(), **kwargs))


@pytest.fixture
def start(tmp_path, keep):
    """start(config) runs a tunnel until the test ends."""
    return lambda config, **kwargs: keep(tunnel.Tunnel(tmp_path, config, **kwargs))


@pytest.fixture
def run(tmp_path):
    """run(*arguments, config=...) runs the program to its end."""
    return lambda *args, **kwargs: tunnel.run(tmp_path, *args, **kwargs)


@pytest.fixture
def serve(keep):
    """serve(script) starts a plain server."""
    return lambda script, **kwargs: keep(Server(script, **kwargs))


@pytest.fixture
def serve_tls(keep, pki):
    """serve_tls(script, identity=..., minimum=...) starts a TLS server (see Pki.context)."""

    def serve_tls(script, identity=None, host="127.0.0.1", port=0, **options):
        return keep(TlsServer(script, pki.context(identity, **options), host=host, port=port))

    return serve_tls


@pytest.fixture
def dns(keep):
    return keep(DnsServer())


@pytest.fixture
def service(serve):
    """service(accept, ...) is a table that carries plaintext to an echo server."""
    target = serve(echo).address
    return lambda accept, **keys: {"accept": accept, "tls": False, "connect": target, **keys}


@pytest.fixture
def manager(tmp_path, keep):
    """A service manager."""
    return keep(Manager(tmp_path))


@pytest.fixture
def relay(start, pki):
    """relay(target, **service keys) runs a tunnel with one service, `svc`, that trusts our CA.

    `tls` adds to its TLS table; `options` are global keys; a key that is None is left out.
    """

    def relay(target, tls=None, options=None, wait_ready=True, env=None, prefix=(), **keys):
        service = {"accept": "127.0.0.1:0", "connect": getattr(target, "address", target), **keys}
        trust = {} if (tls or {}).get("verify") == "pin" else {"ca": pki.ca.file}
        service = {key: value for key, value in service.items() if value is not None}
        service["tls"] = False if tls is False else {**trust, **(tls or {})}
        return start({**(options or {}), "svc": service}, wait_ready=wait_ready, env=env,
                     prefix=prefix)

    return relay
