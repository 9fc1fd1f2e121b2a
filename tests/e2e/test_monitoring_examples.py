# SPDX-License-Identifier: MIT
"""examples/prometheus and examples/kubernetes are what their programs take, and true."""

import json
import pathlib
import re
import subprocess

import pytest
from harness import tunnel as program

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMETHEUS, KUBERNETES = ROOT / "examples" / "prometheus", ROOT / "examples" / "kubernetes"


def documented_metrics():
    """A histogram's samples have names of their own. That the list is right, another test shows."""
    rows = re.findall(r"^\| (`[^\n]*)$", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    for row in rows:
        names, kind, *_ = row.split("|")
        for name in re.findall(r"`([a-z_]+)`", names):
            yield from [name + end for end in ("_bucket", "_sum", "_count")] \
                if "histogram" in kind else [name]


def metrics_in(expression):
    return set(re.findall(r"\b((?:tunnel|process)_[a-z_]+)\b", expression))


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("arguments", [("check", "config", "prometheus.yml"),
                                       ("check", "rules", "alerts.yml"),
                                       ("test", "rules", "alerts_test.yml")])
def test_promtool_takes_the_examples(arguments):
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_ask_for_metrics_that_there_are():
    text = (PROMETHEUS / "alerts.yml").read_text()
    expressions = re.findall(r"expr: (?:\|\n)?((?:.|\n)*?)\n +(?:for|labels):", text)
    assert len(expressions) == text.count("- alert:")
    assert set().union(*map(metrics_in, expressions)) <= set(documented_metrics())


def test_the_board_asks_for_metrics_that_there_are():
    board = json.loads((PROMETHEUS / "grafana.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    expressions += [each["query"] for each in board["templating"]["list"]]
    expressions += [each["expr"] for each in board["annotations"]["list"]]
    asked = set().union(*map(metrics_in, expressions))
    assert len(asked) > 10 and asked <= set(documented_metrics())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_sidecar_has_a_configuration_that_is_in_order(tmp_path, pki):
    yaml = pytest.importorskip("yaml")
    config_map, deployment = yaml.safe_load_all((KUBERNETES / "sidecar.yaml").read_text())
    text = config_map["data"]["tunnel.toml"]
    (tmp_path / "tls").mkdir()
    robot = pki.leaf()
    for name, file in (("ca.crt", pki.ca.file), ("tls.crt", robot.chain_file),
                       ("tls.key", robot.key_file)):
        (tmp_path / "tls" / name).write_bytes(file.read_bytes())
    (tmp_path / "tunnel.toml").write_text(text.replace("/etc/tunnel/tls", str(tmp_path / "tls")))
    done = subprocess.run([program.BINARY, "check", tmp_path / "tunnel.toml"], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    pod = deployment["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    assert pod["securityContext"]["fsGroup"] == sidecar["securityContext"]["runAsUser"]
    mounted = {each["mountPath"] for each in sidecar["volumeMounts"]}
    assert {"/etc/tunnel/config", "/etc/tunnel/tls", "/run/tunnel"} == mounted
    assert {each["name"] for each in sidecar["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    (status,) = [each for each in sidecar["ports"] if each["name"] == "status"]
    assert f'status = "0.0.0.0:{status["containerPort"]}"' in text
