# SPDX-License-Identifier: MIT
"""The command line: help, version, check, explain, and how errors are told."""

import os
import re
import subprocess

import pytest
from harness import expect
from harness.server import echo
from harness.tunnel import BINARY, write_config
from harness.tunnel import run as run_in

GOOD = '[ldap]\naccept = "127.0.0.1:3890"\nconnect = "ldap.example.com:636"\n'


def check(run, text, status=2):
    done = run("check", config=text)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_help(run):
    for option in ("--help", "-h"):
        done = run(option)
        assert done.returncode == 0
        for word in ("check", "explain", "--foreground", "--log-level", "--version"):
            assert word in done.stdout


def test_version_names_the_libraries(run):
    for option in ("--version", "-V"):
        done = run(option)
        assert done.returncode == 0
        assert re.search(r"tunnel \d+\.\d+", done.stdout)
        assert re.search(r"gnutls\D+\d+\.\d+\.\d+", done.stdout, re.IGNORECASE)
        assert re.search(r"libuv\D+\d+\.\d+\.\d+", done.stdout, re.IGNORECASE)


@pytest.mark.parametrize("arguments", [[], ["--frobnicate"], ["check"], ["a.toml", "b.toml"],
                                       ["--log-level", "loud", "a.toml"]])
def test_usage_errors(run, arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr


@pytest.mark.parametrize("command", [[], ["check"]])
def test_missing_file(run, command, tmp_path):
    done = run(*command, tmp_path / "absent.toml")
    assert done.returncode == 2
    assert "absent.toml" in done.stderr


def test_folder_instead_of_a_file(run, tmp_path):
    assert run("check", tmp_path).returncode == 2


def test_an_answer_that_could_not_be_written_is_a_failure(tmp_path):
    path = write_config(tmp_path, GOOD)
    for command in (["--version"], ["explain"], ["check", path]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BINARY, *command], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        assert "cannot write to standard output: No space left on device" in done.stderr


# check

def test_check_of_a_good_file_sums_it_up(run):
    text = check(run, GOOD, status=0)
    assert "ldap" in text and "127.0.0.1:3890" in text and "ldap.example.com:636" in text


def test_check_binds_nothing_and_changes_nothing(run, serve, tmp_path):
    taken = serve(echo).address
    check(run, f'pid_file = "pid"\nlog_file = "log"\n[a]\naccept = "{taken}"\n'
               'connect = "127.0.0.1:1"\ntls.keylog = "keys"\ntls.verify = "none"\n'
               '[a.health]\ncheck = "tls"\n', status=0)
    for name in ("pid", "log", "keys"):
        assert not (tmp_path / name).exists()


def test_check_tells_every_problem_with_its_place(run, tmp_path):
    text = check(run, '[ldap]\n'
                      'acept = "127.0.0.1:389"\n'
                      'connect = "ldap.example.com:99999"\n'
                      'max_connections = "many"\n'
                      '[other]\n'
                      'accept = "127.0.0.1:390"\n')
    path = str(tmp_path / "tunnel.toml")
    errors = re.findall(rf"^{re.escape(path)}:(\d+):(\d+): error: (.*)$", text, re.MULTILINE)
    lines = {int(line) for line, _, _ in errors}
    assert {2, 3, 4, 5} <= lines, text
    assert "did you mean" in text and "accept" in text
    column = next(int(c) for line, c, _ in errors if line == "3")
    assert column == 11, "the column of the value"


def test_error_shows_the_line_and_a_caret(run):
    text = check(run, '[ldap]\naccept = "127.0.0.1:389"\nconnect = "x:636"\nidle = "5s"\n')
    shown = text.splitlines()
    at = next(i for i, line in enumerate(shown) if ":4:1: error:" in line)
    assert 'idle = "5s"' in shown[at + 1]
    assert shown[at + 2].index("^") == shown[at + 1].index("idle")


@pytest.mark.parametrize("text, place, words", [
    ("[ldap\n", r":1:\d+", ""),
    ("[ldap]\naccept = \n", r":2:\d+", ""),
    ('[ldap]\naccept = "1"\naccept = "2"\n', r":3:\d+", "accept|redefin|twice|duplicate"),
], ids=["table", "value", "twice"])
def test_syntax_errors_have_a_place(run, text, place, words):
    out = check(run, text)
    assert re.search(place + ": error: .+", out)
    assert re.search(words, out, re.IGNORECASE)


@pytest.mark.parametrize("lines, words", [
    ('tls = { ca = "absent.pem" }', "absent.pem"),
    ('tls = { verify = "maybe" }', "maybe"),
    ('tls = { ciphers = ["TLS_AES_1_GCM"] }', "TLS_AES_1_GCM"),
    ('tls = { pin = ["sha256:xyz"] }', "pin"),
    ('tls = { min_version = "1.3", max_version = "1.2" }', "min_version|max_version"),
    ('tls = { priority = "NORMAL", min_version = "1.3" }', "priority"),
    ('tls = { priority = "GIBBERISH" }', "GIBBERISH"),
    ('tls = { verify = "pin" }', "pin|peer_certs"),
    ('allow = ["10.0.0.0/33"]', r"10\.0\.0\.0/33"),
    ('unix_mode = "0999"', "0999|unix_mode"),
    ('timeouts = { idel = "5s" }', "did you mean.*idle"),
    ('timeouts = { idle = "5 parsecs" }', "parsecs|duration"),
    ('on_truncation = "explode"', "explode"),
    ('client = false', "client"),
    ('bind = "not an address"', "bind|address"),
], ids=lambda v: re.sub(r"\W+", "-", v)[:24])
def test_values_that_make_no_sense(run, lines, words):
    text = check(run, GOOD + lines + "\n")
    assert re.search(words, text), text
    assert re.search(r"tunnel\.toml:4:\d+: error: ", text), text


def test_duplicate_accept_addresses(run):
    text = check(run, '[a]\naccept = "127.0.0.1:3890"\nconnect = "x:1"\n'
                      '[b]\naccept = ["127.0.0.1:3890"]\nconnect = "x:1"\n')
    assert ":5:" in text and "127.0.0.1:3890" in text


def test_a_file_without_services(run):
    assert "service" in check(run, "foreground = true\n")


def test_check_loads_certificates(run, tmp_path):
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                         "-----END CERTIFICATE-----\n")
    assert "broken.pem" in check(run, GOOD + 'tls = { ca = "broken.pem" }\n')


@pytest.mark.parametrize("content", [
    b"", b"\0\0\0", os.urandom(5000), b"\xff\xfe[ldap]\n", b"[" * 5000, b"a = " + b"[" * 50_000,
    b"[a]\n" + b"x." * 5000 + b"y = 1\n", b'[a]\nconnect = "' + b"x" * 2_000_000 + b'"\n',
    b"#" * (17 << 20), b"[ldap]\naccept = 1e400\nconnect = [[[[1]]]]\ntls = [[]]\n",
    b'tls = "x"\ndefaults = 3\n[ldap]\naccept = { a = 1 }\nconnect = 5\ntimeouts = "x"\n',
], ids=["empty", "nul", "random", "utf-16", "brackets", "deep", "dotted", "long", "large",
        "nonsense", "wrong-types"])
def test_broken_input_is_refused_and_nothing_worse(run, content):
    done = run("check", config=content)
    assert done.returncode == 2
    assert "error" in done.stdout + done.stderr


# Configuration as it is read.

@pytest.mark.parametrize("line", ["foreground = yes", 'foreground = "yes"', "foreground = true",
                                  "foreground = yes  # as in stunnel"])
def test_booleans(start, serve, line):
    no = "no" if "= yes" in line else "false"
    tunnel = start(f'{line}\nlog_format = "json"\n[svc]\naccept = "127.0.0.1:0"\n'
                   f'connect = "{serve(echo).address}"\ntls = {no}\n')
    with tunnel.connect("svc") as client:
        expect.served(tunnel, client)


def test_defaults_and_include(start, serve, tmp_path):
    address = serve(echo).address
    (tmp_path / "conf.d").mkdir()
    for name in ("b", "a"):
        (tmp_path / "conf.d" / f"{name}.toml").write_text(
            f'[{name}]\naccept = "127.0.0.1:0"\nconnect = "{address}"\n')
    (tmp_path / "conf.d" / ".hidden.toml").write_text("this is [ not toml")
    (tmp_path / "conf.d" / "a.toml~").write_text("this is [ not toml")
    tunnel = start('foreground = true\nlog_format = "json"\ninclude = ["conf.d/*.toml"]\n'
                   '[defaults]\ntls = false\n'
                   f'[main]\naccept = "127.0.0.1:0"\nconnect = "{address}"\n')
    for name in ("a", "b", "main"):
        with tunnel.connect(name) as client:
            expect.served(tunnel, client)


def test_problem_in_an_included_file_names_that_file(run, tmp_path):
    (tmp_path / "more.toml").write_text('[b]\nacept = "1"\nconnect = "x:1"\n')
    text = check(run, f'include = ["more.toml"]\n{GOOD}')
    assert "more.toml:2:1: error:" in text


def test_relative_paths_are_relative_to_the_file(run, pki, tmp_path):
    (tmp_path / "ca.pem").write_bytes(pki.ca.file.read_bytes())
    path = write_config(tmp_path, GOOD + 'tls = { ca = "ca.pem" }\n')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run_in(elsewhere, "check", path).returncode == 0


# explain

def test_explain_one_key(run):
    done = run("explain", "tls.min_version")
    assert done.returncode == 0
    assert "min_version" in done.stdout and "1.2" in done.stdout


def test_explain_lists_all_keys(run):
    done = run("explain")
    assert done.returncode == 0
    for key in ("accept", "connect", "foreground", "on_truncation", "min_version", "half_close"):
        assert key in done.stdout


def test_explain_suggests(run):
    done = run("explain", "acept")
    assert done.returncode == 2
    assert "accept" in done.stdout + done.stderr


# When what is on this machine ends.

def local_files(pki, **tls):
    return {"svc": {"accept": "127.0.0.1:3890", "connect": "dc1.test:636",
                    "tls": {"ca": pki.ca.file, **tls}}}


def test_check_says_when_local_files_end(run, pki):
    client = pki.leaf("check-client", days=(-1, 200))
    client.key_file.chmod(0o600)
    crl = pki.intermediate.crl("check-current", days=(-1, 90))
    done = run("check", "--fail-on-warning", config=local_files(
        pki, cert=client.chain_file, key=client.key_file, crl=crl))
    assert done.returncode == 0, done.stderr
    _, ends = done.stdout.split("ends of local certificates and lists\n")
    found = [re.match(r"  \d{4}-\d\d-\d\d  (\d+) days  (\S+): ", line).groups()
             for line in ends.splitlines()]
    assert [key for _, key in found] == ["tls.crl", "tls.cert", "tls.ca"]
    assert [int(days) // 10 for days, _ in found] in ([8, 19, 39], [9, 20, 40], [8, 19, 40])


@pytest.mark.parametrize("days, words", [((-40, 20), "ends in"), ((-40, -3), "ended on")])
def test_check_warns_of_what_ends_soon(run, pki, days, words):
    crl = pki.intermediate.crl(f"check-{words.split()[0]}", days=days)
    config = local_files(pki, crl=crl)
    done = run("check", config=config)
    assert done.returncode == 0 and "warning:" in done.stderr
    assert re.search(rf"tls\.crl \({re.escape(str(crl))}.*\), CN=Test intermediate, {words}",
                     done.stderr)
    assert run("check", "--fail-on-warning", config=config).returncode == 1
