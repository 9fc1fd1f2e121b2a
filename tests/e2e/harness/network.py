# SPDX-License-Identifier: MIT
"""Networks that are bad in known ways: a wire between two namespaces, whose packets pass through this
process. Each end is a TUN device, so the kernels' own TCP meets what is done to them."""

import dataclasses
import fcntl
import heapq
import itertools
import math
import os
import random
import select
import struct
import subprocess
import threading
import time

from . import netns
from .netns import Namespace

_TUN = "/dev/net/tun"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_IPV4 = 4
_QUEUE_SECONDS = 0.25  # of a router in front of a slow line; what does not fit is lost
_OVERTAKEN_SECONDS = 0.02


def _open_tun(name):
    """A new device of that name in the caller's namespace, and the packets sent to it."""
    fd = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(fd)
        raise
    return fd


def why_not():
    """Why there can be no wire here, or None: it takes root, and a kernel that allows both parts."""
    if not netns.is_possible():
        return "no network namespaces: not root, or not allowed"
    namespace = Namespace()

    def attempt():
        try:
            os.close(_open_tun("attempt"))
        except OSError as error:
            return f"no TUN devices: {error}"
        return None

    try:
        return namespace.call(attempt)
    finally:
        namespace.stop()


def set_kernel(namespace, name, value):
    """net.ipv4.NAME of that namespace; False where such settings are not allowed."""
    try:
        namespace.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}")
        return True
    except subprocess.CalledProcessError:
        return False


@dataclasses.dataclass
class Weather:
    """What befalls packets in both directions. Shares are between 0 and 1."""

    loss: float = 0
    duplication: float = 0
    reordering: float = 0  # the share of packets that later ones overtake
    delay: float = 0  # seconds, one way
    rate: float = math.inf  # bits per second
    largest: int = 1500  # bytes; larger packets disappear, and nobody says so


class Wire:
    """Between 10.77.NUMBER.1 (near) and 10.77.NUMBER.2 (far). The test changes `weather` and
    `is_plugged` whenever it likes."""

    def __init__(self, near, far, number=1):
        self.near_address, self.far_address = f"10.77.{number}.1", f"10.77.{number}.2"
        self.weather, self.is_plugged = Weather(), True
        self.lost = self.passed = 0
        # Called with each packet before anything is decided about it.
        self.on_packet = lambda packet: None
        self._chance = random.Random(1)  # the same luck in each run, as far as the order is the same
        self._waiting, self._order = [], itertools.count()  # (due, order, to, packet)
        self._error = None
        name = f"wire{number}"
        self._ends = [self._attach(namespace, name, address) for namespace, address in
                      ((near, self.near_address), (far, self.far_address))]
        self._busy_until = dict.fromkeys(self._ends, 0.0)
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _attach(namespace, name, address):
        fd = namespace.call(lambda: _open_tun(name))
        namespace.run("ip", "addr", "add", f"{address}/24", "dev", name)
        namespace.run("ip", "link", "set", name, "up")
        return fd

    def unplug(self):
        self.is_plugged = False

    def plug(self):
        self.is_plugged = True

    def _run(self):
        try:
            while True:
                readable = self._wait()
                if self._stop_reader in readable:
                    return
                for end in readable:
                    self._take(end, os.read(end, 65536))
                self._deliver()
        except BaseException as error:  # noqa: BLE001 - kept for stop()
            self._error = error

    def _wait(self):
        timeout = max(0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
        return select.select([*self._ends, self._stop_reader], [], [], timeout)[0]

    def _take(self, end, packet):
        if packet[0] >> 4 != _IPV4:  # the kernel looks for neighbours
            return
        self.on_packet(packet)
        weather, to = self.weather, self._ends[end == self._ends[0]]
        if not self.is_plugged or len(packet) > weather.largest or self._happens(weather.loss):
            self.lost += 1
            return
        for _ in range(1 + self._happens(weather.duplication)):
            self._queue(weather, to, packet)

    def _queue(self, weather, to, packet):
        now = time.monotonic()
        sent = max(now, self._busy_until[to]) + len(packet) * 8 / weather.rate
        if sent > now + _QUEUE_SECONDS:
            self.lost += 1
            return
        self._busy_until[to] = sent
        due = sent + weather.delay
        if self._happens(weather.reordering):
            due += _OVERTAKEN_SECONDS
        heapq.heappush(self._waiting, (due, next(self._order), to, packet))

    def _deliver(self):
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(self._waiting)
            os.write(to, packet)
            self.passed += 1

    def _happens(self, share):
        return self._chance.random() < share

    def stop(self):
        os.close(self._stop_writer)
        self._thread.join()
        for fd in (*self._ends, self._stop_reader):
            os.close(fd)
        if self._error:
            raise self._error
