# SPDX-License-Identifier: MIT
"""A headless Chromium, told what to do through its DevTools protocol."""

import base64
import fcntl
import json
import os
import select
import subprocess
import time

from .process import DIE_WITH_PARENT
from .wait import PATIENCE


class Browser:
    """One page. Chromium reads commands from descriptor 3 and answers on 4, each message ended by a
    zero byte (--remote-debugging-pipe)."""

    def __init__(self, folder):
        # Above 4, so that neither is overwritten by the other's place.
        ours_in, theirs_out = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())
        theirs_in, ours_out = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())
        self._in, self._out = ours_in, ours_out
        self._log = open(folder / "chromium.log", "wb")

        def set_up():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self.process = subprocess.Popen(
            [*DIE_WITH_PARENT, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, preexec_fn=set_up,
            pass_fds=(3, 4))
        os.close(theirs_in)
        os.close(theirs_out)
        self._received, self._last, self._session = b"", 0, None
        self.complaints = []  # errors and warnings that a person would find in the console
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _send(self, method, **params):
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")

    def call(self, method, **params):
        self._send(method, **params)
        while (answer := self._next()).get("id") != self._last:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            assert ready, "Chromium does not answer"
            piece = os.read(self._in, 1 << 20)
            assert piece, "Chromium has ended"
            self._received += piece
        message, _, self._received = self._received.partition(b"\0")
        message = json.loads(message)
        self._note(message)
        return message

    def _note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            # The browser asks for an icon by itself, and there is none.
            if "favicon.ico" not in params["entry"].get("url", ""):
                self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))

    def show(self, width, height=900, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self._wait_for_page()

    def follow(self, expression):
        """Evaluates what leads to another page, and waits for that. The answer may be lost with the
        page that is left."""
        self._send("Runtime.evaluate", expression=expression)
        self._wait_for_page()

    def _wait_for_page(self):
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression):
        """The value of an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def stop(self):
        self.process.kill()
        self.process.wait()
        os.close(self._in)
        os.close(self._out)
        self._log.close()
