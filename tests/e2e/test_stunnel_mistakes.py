# SPDX-License-Identifier: MIT
"""What is wrong with a stunnel.conf is said at its line, before anything starts."""

import pytest
from harness import tunnel
from harness.stunnel import Failed

pytestmark = pytest.mark.needs("stunnel4")

MISTAKES = {
    "unknown option": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nverfiy = 2\n", 5),
    "global option in a section": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                                   "foreground = yes\n", 5),
    "no argument": ("[svc]\nclient\n", 2),
    "neither yes nor no": ("[svc]\nclient = yes ; really\n", 2),
    "no target": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\n", None),
    "names without a chain": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                              "checkHost = a.test\n", None),
    "chain without authorities": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                                  "verifyChain = yes\n", None),
    "missing file": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                     "CAfile = /nowhere/ca.pem\nverify = 2\n", None),
    "unknown protocol": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                         "protocol = gopher\n", None),
    "redirect": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nredirect = 2\n", None),
    "crossed versions": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                         "sslVersionMin = TLSv1.3\nsslVersionMax = TLSv1.2\n", None),
    "unknown version": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                        "sslVersion = TLSv1.4\n", 5),
    "unknown TLS option": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                           "options = NO_TLSv1_4\n", 5),
    "no cipher": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nciphers = FOO\n", None),
    "unknown command": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\n"
                        "config = Foo:bar\n", None),
    "bad level": ("[svc]\nclient = yes\naccept = 127.0.0.1:0\nconnect = 1\nsecurityLevel = 6\n", 5),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_keeps_the_program_from_starting(program, kind, mistake):
    text, line = MISTAKES[mistake]
    with pytest.raises(Failed) as failed:
        program(text)
    assert failed.value.status == (1 if kind == "stunnel" else 2)
    if line:
        assert f"service.conf:{line + 3}:" in failed.value.text


def test_mistakes_are_told_all_at_once(run, tmp_path):
    text = "\n".join(["[svc]", "client = yes", "accept = 1", "connect = 2", "verfiy = 2",
                      "protocol = gopher", "options = NO_TLSv1_4"])
    done = run("check", tunnel.write_config(tmp_path, text, "service.conf"))
    assert done.returncode == 2
    for line in (5, 6, 7):
        assert f"service.conf:{line}:" in done.stderr


def test_server_section_is_refused(run, tmp_path):
    text = "[svc]\naccept = 127.0.0.1:0\nconnect = 2\ncert = /nowhere.pem\n"
    done = run("check", tunnel.write_config(tmp_path, text, "service.conf"))
    assert done.returncode == 2
    assert "client" in done.stderr
