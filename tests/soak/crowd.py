# SPDX-License-Identifier: MIT
"""Many clients at a time, of which a few are busy."""

import heapq
import itertools
import queue
import random
import threading
import time


class Crowd:
    """Always so many connections, each of which rests first. Threads are for those that are busy: each of
    thousands would wait for the others more than for the server.

    Within a `with` statement: at its end nobody rests any longer and nobody comes, and it is over when the
    last one has gone, however that end came.

    begin()       a connection, or None when there is none to be had
    live(client)  what it does after its rest, to its end
    """

    def __init__(self, begin, live, connections, threads, longest_rest):
        self.begin, self.live, self.longest_rest = begin, live, longest_rest
        self._left, self._is_over = connections, False
        self._due, self._resting, self._numbers = queue.SimpleQueue(), [], itertools.count()
        self._change = threading.Condition()
        for _ in range(connections):
            self._due.put(None)
        workers = [threading.Thread(target=self._work) for _ in range(threads)]
        self._threads = [threading.Thread(target=self._wake, args=(threads,)), *workers]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._change:
            self._is_over = True
            self._change.notify()
        for thread in self._threads:
            thread.join()

    def _work(self):
        while (client := self._due.get()) is not self:
            if client:
                self.live(client)
            client = None
            while not client and not self._is_over:
                client = self.begin() or time.sleep(0.1)
            with self._change:
                if client:
                    until = time.monotonic() + random.random() * self.longest_rest
                    heapq.heappush(self._resting, (until, next(self._numbers), client))
                else:
                    self._left -= 1
                self._change.notify()

    def _wake(self, workers):
        with self._change:
            while self._left or self._resting:
                now = time.monotonic()
                if self._resting and (self._is_over or self._resting[0][0] <= now):
                    self._due.put(heapq.heappop(self._resting)[-1])
                else:
                    self._change.wait(self._resting[0][0] - now if self._resting else None)
        for _ in range(workers):
            self._due.put(self)
