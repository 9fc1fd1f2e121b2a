# SPDX-License-Identifier: MIT
"""`tunnel probe --nagios` as monitoring systems read it."""

import re
import subprocess

import pytest
from harness.ports import free_port
from harness.probing import config_for
from harness.server import echo
from harness.wait import PATIENCE

PERFORMANCE = re.compile(r"'([^'=|]+)'=(-?[\d.]+)(s?);([\d:]*);([\d:]*);([\d.]*);?([\d.]*)")


def plugin(run, config, *arguments):
    """Status, the text and the performance data, read as the plugins' guidelines say."""
    done = run("probe", "--nagios", *arguments, config=config)
    first = done.stdout.splitlines()[0]
    text, _, data = first.partition("|")
    assert "|" not in data and text.startswith("TUNNEL ")
    found = {m[1]: m.groups()[1:] for m in PERFORMANCE.finditer(data)}
    assert len(found) == data.count("=")
    return done.returncode, text, found


def test_plugin_is_content(run, pki, serve_tls):
    status, text, data = plugin(run, config_for(pki, serve_tls(echo)))
    assert status == 0 and re.fullmatch(r"TUNNEL OK - svc: 1/1 targets, (59|60) days", text)
    days = data.pop("svc_days")
    assert days[0] in ("59", "60") and days[2:5] == ("30:", "7:", "0")
    [(value, unit, *_)] = data.values()
    assert unit == "s" and 0 < float(value)


@pytest.mark.parametrize("limits, status, word", [
    (["-w", "90"], 1, "WARNING"), (["-w", "90", "-c", "80"], 2, "CRITICAL"), (["-w", "20"], 0, "OK"),
])
def test_plugin_counts_days(run, pki, serve_tls, limits, status, word):
    found, text, _ = plugin(run, config_for(pki, serve_tls(echo)), *limits)
    assert found == status and text.startswith(f"TUNNEL {word} - ")


def test_plugin_counts_targets(run, pki, serve_tls):
    good, dead = serve_tls(echo).address, f"127.0.0.1:{free_port()}"
    status, text, _ = plugin(run, config_for(pki, [good, dead]))
    assert status == 1 and "svc: 1/2 targets" in text
    status, text, data = plugin(run, config_for(pki, dead))
    assert status == 2 and "svc: 0/1 targets" in text and data == {}


@pytest.mark.parametrize("arguments, config", [
    (["--frobnicate"], "[svc]\naccept = '127.0.0.1:1'\nconnect = '127.0.0.1:2'\n"),
    ([], "[svc]\naccept = 'nonsense'\n"),
])
def test_plugin_does_not_know(run, arguments, config):
    done = run("probe", "--nagios", *arguments, config=config)
    assert done.returncode == 3 and done.stdout.startswith("TUNNEL UNKNOWN - ")


# The library that plugins in Perl are written with, which follows their guidelines.
_PARSE = """
use Monitoring::Plugin::Performance;
for my $p (Monitoring::Plugin::Performance->parse_perfstring(<STDIN>)) {
  print join("\t", $p->label, $p->value, $p->uom // "",
             map { $p->threshold->get_status($_) } 5, 20, 40), "\n";
}
"""


def has_perl_library():
    return subprocess.run(["perl", "-MMonitoring::Plugin::Performance", "-e", "1"],
                          capture_output=True).returncode == 0


def test_performance_data_is_read_by_the_plugins_own_library(run, pki, serve_tls):
    if not has_perl_library():
        pytest.skip("libmonitoring-plugin-perl is not installed")
    servers = [serve_tls(echo) for _ in range(3)]
    config = config_for(pki, [server.address for server in servers])
    done = run("probe", "--nagios", config=config)
    assert done.returncode == 0, done.stdout
    # The first line is all that many systems keep, and 4 KiB are all that some read.
    data = done.stdout.splitlines()[0].split("|")[1]
    assert len(done.stdout) < 4096
    parsed = subprocess.run(["perl", "-e", _PARSE], input=data, capture_output=True, text=True,
                            timeout=PATIENCE, check=True).stdout
    rows = [line.split("\t") for line in parsed.splitlines()]
    assert len(rows) == 4 == data.count("=")
    # 5, 20 and 40 days: CRITICAL, WARNING, OK.
    [days] = [row for row in rows if "days" in row[0]]
    assert days[1] in ("59", "60") and days[3:] == ["2", "1", "0"]
    for row in rows:
        if row is not days:
            assert row[2] == "s" and 0 < float(row[1]) < PATIENCE
