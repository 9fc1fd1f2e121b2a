# SPDX-License-Identifier: MIT
"""Every system call fails once. A fixed scenario (reload with a capture and the status page, failover to a name, handshake,
data both ways, half-close, reload without) is played again and again, and each time one call of one
kind fails with one of the errors it may have. The process must not die, spin, lose a descriptor or
deliver a wrong byte; the connection ends as it says; and afterwards everything works again.

By default every n-th call is failed, in turn with each error. FAULTS_EVERY=1 fails all."""

import errno
import os
import socket
import threading
import urllib.request

import pytest
from harness import ports
from harness.dns import DnsServer
from harness.faults import KINDS, LIBRARY, Faults, show
from harness.server import TlsServer, echo
from harness.tunnel import Tunnel
from harness.wait import PATIENCE, SANITIZED, eventually

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built")

SOME = int(os.environ.get("FAULTS_EVERY", 0))
SIZE = (1 << 20) if SOME else (1 << 17)
DATA = os.urandom(SIZE)
RUNS_PER_KIND = 8  # unless all are asked for
EACH_TIME = ("socket", "connect", "accept", "read", "write", "epoll_wait", "epoll_create", "eventfd",
             "thread")  # calls of each scenario
MOST_CPU_SECONDS = 3.0 * (10 if SANITIZED else 1)


def injections(kind, count):
    """(n, error) pairs."""
    pairs = [(n, error) for n in range(1, count + 1) for error in KINDS[kind]]
    if not SOME:
        # Another n and another error each time, evenly.
        step = max(1, len(pairs) // RUNS_PER_KIND)
        return pairs[::step + (1 if len(KINDS[kind]) % step == 0 else 0)]
    return pairs[::SOME]


class World:
    def __init__(self, folder, pki):
        self.folder, self.pki = folder, pki
        self.refusing = socket.socket()  # bound, and not listening
        self.refusing.bind(("127.0.0.1", 0))
        self.server, self.dns = TlsServer(echo, pki.context()), DnsServer()
        self.dns.set("server.test", "A", ["127.0.0.1"], ttl=1)
        self.faults = Faults(folder)
        self.tunnel = None

    def config(self, captures):
        service = {
            "accept": "127.0.0.1:0",
            "connect": [["127.0.0.1:%d" % self.refusing.getsockname()[1]],
                        ["server.test:%d" % self.server.port]],
            "tls": {"ca": str(self.pki.ca.file)},
            "timeouts": {"resolve": "2s", "connect": "5s", "handshake": "5s"},
            "health": {"eject_time": "10ms", "eject_max": "10ms"},
        }
        config = {"workers": 1, "dns_servers": [self.dns.address], "shutdown_timeout": "5s",
                  "certificate_poll": "off", "svc": service}
        if captures:
            service["capture"] = {"file": "capture.pcapng"}
            # Its server has an event loop and a thread of its own, which are made by the reload.
            config["status"] = "127.0.0.1:0"
        return config

    def start(self):
        self.tunnel = Tunnel(self.folder, self.config(captures=False), env=self.faults.environment)

    def stop(self):
        if self.tunnel:
            self.tunnel.stop()
        for thing in (self.server, self.dns):
            thing.stop()
        self.refusing.close()

    def descriptors(self):
        return len(self.tunnel.open_files())

    def cpu(self):
        times = self.tunnel.ps.cpu_times()
        return times.user + times.system

    def connection(self, may_lack=False):
        """How it ended for the client, and the client's address."""
        with self.tunnel.connect("svc") as client:
            was_reset = []

            def send():
                try:
                    client.send(DATA)
                    client.half_close()
                except OSError:
                    was_reset.append(True)  # then reading may call it an orderly end

            sender = threading.Thread(target=send)
            sender.start()
            end = client.read_to_end()
            try:
                client.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sender.join()
            assert DATA.startswith(end.data), "wrong bytes were delivered"
            how = "reset" if was_reset else end.how
            if how == "eof" and not may_lack:
                assert end.data == DATA, f"an orderly end after {len(end.data)} of {SIZE} bytes"
            return how, client.local_address

    def scenario(self, may_lack=False):
        self.tunnel.reload(self.config(captures=True))
        outcome = self.connection(may_lack)
        self.tunnel.reload(self.config(captures=False))
        return outcome

    def works_again(self):
        return self.connection()[0] == "eof"


@pytest.fixture(scope="module")
def world(tmp_path_factory, pki):
    world = World(tmp_path_factory.mktemp("faults"), pki)
    yield world
    world.stop()


@pytest.fixture(scope="module")
def counted(world):
    """How many calls of each kind the scenario makes."""
    world.start()
    most, fds = {}, 0
    for _ in range(3):
        before = world.faults.counts()
        assert world.scenario()[0] == "eof", world.tunnel.log.text()
        after = world.faults.counts()
        most = {kind: max(most.get(kind, 0), after[kind] - before[kind]) for kind in KINDS}
        fds = max(fds, world.descriptors())
    for kind in EACH_TIME:
        assert most[kind] > 0, "the calls are not counted: is the library loaded?"
    return most, fds


def try_one(world, kind, nth, error, fds):
    tunnel, before = world.tunnel, world.cpu()
    world.faults.arm(kind, nth, error)
    # A server that resets after the client's end, before it has said a word, is in order: so MySQL
    # answers COM_QUIT.
    how, client = world.scenario(may_lack=error in (errno.ECONNRESET, errno.EPIPE))
    has_fired = world.faults.disarm()
    assert tunnel.process.poll() is None, f"the process has ended:\n{tunnel.log.text()}"
    if how == "reset":
        # One that was lost before it was accepted has no line.
        closed = tunnel.log.find("closed", client=client)[-1:]  # ports come back
        assert closed or kind == "accept", "the log does not say how it ended"
        assert all(line["kind"] != "ok" and line["msg"] for line in closed), closed
    eventually(world.works_again, lambda: f"it works again:\n{tunnel.log.text()[-3000:]}")
    if tunnel.log.find("reload_failed"):  # perhaps the one that ends the capture
        assert tunnel.reload(world.config(captures=False))["event"] == "reloaded"
    eventually(lambda: world.descriptors() <= fds,
               lambda: f"no descriptor is lost of {fds}: {world.tunnel.open_files()}\n{tunnel.log.text()}",
               timeout=15)
    assert world.cpu() - before < MOST_CPU_SECONDS, "it spins"
    return has_fired


def test_a_status_page_that_could_not_be_made_is_tried_again_by_the_next_reload(world, counted):
    if not world.tunnel:
        world.start()
    tunnel = world.tunnel
    address = ports.show("127.0.0.1", ports.free_port())
    page = {**world.config(captures=False), "status": address}
    world.faults.arm("epoll_create", 1, errno.EMFILE)
    assert tunnel.reload(page)["event"] == "reloaded"
    assert world.faults.disarm(), "the page's loop was not made"
    eventually(lambda: "status is not served" in tunnel.log.text(), "it says so")
    assert not tunnel.log.find("listening", address=address)
    assert tunnel.reload(page)["event"] == "reloaded"
    tunnel.log.wait_for("listening", address=address)
    with urllib.request.urlopen(f"http://{address}/livez", timeout=PATIENCE) as answer:
        assert answer.status == 200
    tunnel.reload(world.config(captures=False))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind]])
def test_call_fails_while_it_runs(world, counted, kind, record_property):
    most, fds = counted
    fired = tries = 0
    for nth, error in injections(kind, most[kind]):
        what = f"{kind} {nth} of {most[kind]}: {show(error)}"
        if not world.tunnel or world.tunnel.process.poll() is not None:
            world.start()
            world.scenario()
        try:
            fired += try_one(world, kind, nth, error, fds)
        except BaseException as failure:
            world.faults.disarm()
            world.tunnel.kill()
            world.tunnel = None
            raise AssertionError(f"after {what}: {failure}") from failure
        tries += 1
    # Others are made only now and then: files that DNS reads, say, when a name is asked for again.
    assert fired or kind not in EACH_TIME, "no call has failed"
    record_property("calls", most[kind])
    record_property("tries", tries)
    record_property("failed", fired)
