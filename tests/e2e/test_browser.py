# SPDX-License-Identifier: MIT
"""The status page as a person sees it, in a real browser."""

import pytest
from harness import web
from harness.browser import Browser
from harness.ports import free_port
from harness.server import echo
from harness.wait import eventually

pytestmark = pytest.mark.needs("chromium")

# A target or a connection has a row group of its own.
ROW = """[...document.querySelectorAll('tbody')].map(row => row.innerText)
         .find(text => text.includes(%r)) || ''"""
# The contrast of WCAG 2.1 between an element's text and the page behind it.
CONTRAST = """(selector => {
  const light = colour => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number)
      .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const ink = light(getComputedStyle(document.querySelector(selector)).color);
  return (Math.max(paper, ink) + 0.05) / (Math.min(paper, ink) + 0.05);
})(%r)"""


class Seen:
    def __init__(self, start, serve_tls, pki, keep, folder):
        self.folder = folder
        self.good, self.dead = serve_tls(echo), f"127.0.0.1:{free_port()}"
        self.tunnel = start({
            "status": "127.0.0.1:0", "workers": 1,
            "svc": {"accept": "127.0.0.1:0", "balance": "first", "connect": [self.dead, self.good.address],
                    "health": {"eject_time": "1h", "eject_max": "1h"},
                    "tls": {"ca": str(pki.ca.file)}}})
        self.url = f"http://{web.address_of(self.tunnel)}/"
        self.browser = keep(Browser(folder))

    def client(self):
        client = self.tunnel.connect("svc")
        client.send(b"x" * 5000)
        assert len(client.recv_exact(5000)) == 5000
        return client

    def row(self, text):
        return self.browser.ask(ROW % text)


@pytest.fixture
def seen(start, serve_tls, pki, keep, tmp_path):
    return Seen(start, serve_tls, pki, keep, tmp_path)


def test_a_person_sees_what_works_and_why_something_does_not(seen):
    """Screenshots are left in the test's folder."""
    client = seen.client()
    address = client.local_address
    browser = seen.browser
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            browser.show(width, scheme=scheme)
            browser.open(seen.url)
            assert "✓ up" in seen.row(seen.good.address)
            bad = seen.row(seen.dead)
            assert "✗ ejected" in bad and "connect_refused" in bad and "refused" in bad
            assert address in seen.row("svc[1]")
            assert " d" in seen.row("server certificate")
            # The tables scroll, the page does not.
            assert browser.ask("document.documentElement.scrollWidth") <= width
            for selector in ("body", ".good", ".bad"):
                assert browser.ask(CONTRAST % selector) >= 4.5, (selector, scheme)
            dark = browser.ask("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
            assert dark == (scheme == "dark")
            browser.screenshot(seen.folder / f"page-{width}-{scheme}.png")
    assert browser.complaints == []
    client.close()
    seen.tunnel.closed()
    browser.open(seen.url)
    over = seen.row("svc[1]")
    assert " ago" in over and address in over and "ok" in over
    assert browser.ask("document.querySelector('#connections ~ p').innerText") == "None."


def test_the_plots_get_their_points(seen):
    browser = seen.browser
    browser.show(1280)
    client = seen.client()

    def drawn():
        browser.open(seen.url)
        return browser.ask("document.querySelectorAll('figure').length") == 3 and \
            browser.ask("Math.max(...[...document.querySelectorAll('polyline')]"
                        ".map(line => line.points.numberOfItems))") >= 2

    eventually(drawn, "two points are drawn")
    for figure in ("Throughput", "Connections", "Time until a target is established"):
        assert figure in browser.ask("[...document.querySelectorAll('figcaption')]"
                                     ".map(each => each.innerText).join()")
    browser.screenshot(seen.folder / "plots.png")
    assert browser.complaints == []
    client.close()


def test_connections_are_filtered_and_sorted_by_a_form(seen):
    first, second = seen.client(), seen.client()
    browser = seen.browser
    browser.show(1280)
    browser.open(seen.url)
    assert seen.row("svc[1]") and seen.row("svc[2]")
    browser.ask(f"document.querySelector('[name=filter]').value = {second.local_address!r}")
    browser.ask("document.querySelector('[name=sort]').value = 'age'")
    browser.follow("document.querySelector('form button').click()")

    def is_filtered():
        return seen.row("svc[2]") and not seen.row("svc[1]")

    eventually(is_filtered, "only one connection is shown")
    assert "sort=age" in browser.ask("location.search")
    assert browser.complaints == []
    first.close()
    second.close()
