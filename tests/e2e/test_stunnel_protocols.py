# SPDX-License-Identifier: MIT
"""The `protocol` of a stunnel.conf, and programs that speak through it."""

import base64
import os
import socket
import subprocess

import pytest
from harness.peer import Peer
from harness.process import start_on_free_port
from harness.proxies import HttpProxy
from harness.server import echo
from harness.starttls import DIALECTS, StarttlsServer
from harness.stunnel import Program, StunnelServer, greets, refused, run_on, served
from harness.wait import PATIENCE, eventually

pytestmark = pytest.mark.needs("stunnel4")

PROTOCOLS = {
    "smtp": ("mail", "[mail]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                     "protocol = smtp\nprotocolHost = client.example.com\nverifyChain = yes\n"
                     "CAfile = {ca}\ncheckHost = server.test\n"),
    "pop3": ("pop", "client = yes\n[pop]\naccept = 127.0.0.1:0\nprotocol = pop3\n"
                    "connect = {server}\n"),
    "imap": ("imap", "client = yes\n[imap]\naccept = 127.0.0.1:0\nprotocol = imap\n"
                     "connect = {server}\n"),
    "nntp": ("news", "client = yes\n[news]\naccept = 127.0.0.1:0\nprotocol = nntp\n"
                     "connect = {server}\nCAfile = {ca}\nverify = 2\n"),
    "ldap": ("ldap", "[ldap]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                     "protocol = ldap\nCAfile = {ca}\nverifyChain = yes\ncheckHost = server.test\n"),
    "pgsql": ("postgres", "[postgres]\nclient = yes\nprotocol = pgsql\naccept = 127.0.0.1:0\n"
                          "connect = {server}\nverifyChain = yes\nCAfile = {ca}\n"
                          "checkHost = server.test\n"),
}


@pytest.fixture
def speak(keep, pki):
    return lambda protocol, identity=None, **kwargs: keep(
        StarttlsServer(DIALECTS[protocol], pki.context(identity), **kwargs))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_starttls(program, kind, speak, fill, protocol):
    section, text = PROTOCOLS[protocol]
    server = speak(protocol)
    running = program(fill(text, server))
    greeting = server.shown
    if protocol == "imap" and kind == "stunnel":
        greeting = b"* OK Connected.\r\n"  # the server's own is passed on here: an improvement
    served(running.connect(section), greeting)
    assert server.handshakes == 1


@pytest.mark.parametrize("protocol", ["smtp", "ldap"])
def test_starttls_that_is_refused_or_not_trusted(program, speak, pki, fill, protocol):
    section, text = PROTOCOLS[protocol]
    for options in ({"refuses": True}, {"identity": pki.untrusted}):
        server = speak(protocol, **options)
        running = program(fill(text, server))
        # The greeting is passed on before TLS by stunnel, and only after it here.
        assert running.connect(section).read_to_end().how == "reset"
        running.stop()


def test_improvement_greeting_waits_until_the_server_is_trusted(
        tmp_path, keep, speak, pki, fill):
    section, text = PROTOCOLS["smtp"]
    server = speak("smtp", identity=pki.untrusted)
    text = fill(text, server)
    assert keep(Program("stunnel", tmp_path, text)).connect(section).read_to_end().data
    assert keep(Program("tunnel", tmp_path, text)).connect(section).read_to_end().data == b""


@pytest.mark.parametrize("method", ["plain", "login"])
def test_smtp_login(program, keep, pki, fill, method):
    heard = []

    def script(peer):
        def line():
            text = b""
            while not text.endswith(b"\r\n"):
                text += peer.recv_exact(1)
            heard.append(text.rstrip())
            return heard[-1]

        extended = line().startswith(b"EHLO ")
        peer.send(b"250-one.test\r\n250 AUTH PLAIN LOGIN\r\n" if extended else b"250 one.test\r\n")
        asked = line()
        if method == "plain":
            sent = asked.split()[2] if len(asked.split()) > 2 else line()
            assert base64.b64decode(sent) == b"\0joe\0secret"
        else:
            assert asked == b"AUTH LOGIN"
            for prompt, answer in ((b"Username:", b"joe"), (b"Password:", b"secret")):
                peer.send(b"334 " + base64.b64encode(prompt) + b"\r\n")
                assert base64.b64decode(line()) == answer
        peer.send(b"235 welcome\r\n")
        echo(peer)

    server = keep(StarttlsServer(DIALECTS["smtp"], pki.context(), script=script))
    running = program(fill("[smtp]\nclient = yes\naccept = 127.0.0.1:0\nconnect = {server}\n"
                           "protocol = smtp\nprotocolUsername = joe\nprotocolPassword = secret\n"
                           f"protocolAuthentication = {method}\n", server))
    served(running.connect("smtp"), server.shown)


@pytest.mark.parametrize("login", [None, "joe:se cret"])
def test_http_proxy(program, witness, keep, fill, login):
    server = witness()
    proxy = keep(HttpProxy({f"server.test:{server.port}": server.address}, login=login))
    text = ("[https]\nclient = yes\naccept = 127.0.0.1:0\nconnect = " + proxy.address + "\n"
            f"protocol = connect\nprotocolHost = server.test:{server.port}\nverifyChain = yes\n"
            "CAfile = {ca}\ncheckHost = server.test\n")
    if login:
        text += "protocolUsername = joe\nprotocolPassword = se cret\n"
    running = program(fill(text))
    served(running.connect("https"))
    assert proxy.asked == [f"server.test:{server.port}"]
    assert server.server_names == ["server.test"]


def test_http_proxy_that_refuses(program, keep, fill):
    proxy = keep(HttpProxy({}))
    running = program(fill("[https]\nclient = yes\naccept = 127.0.0.1:0\n"
                           f"connect = {proxy.address}\nprotocol = connect\n"
                           "protocolHost = server.test:443\n"))
    refused(running.connect("https"))
    assert proxy.asked == ["server.test:443"]


@pytest.mark.needs("rsync")
def test_rsync_fetches_a_folder(program, keep, pki, tmp_path, fill):
    """Its daemon sits behind stunnel as the server."""
    module = tmp_path / "module"
    module.mkdir()
    for name in ("one", "two"):
        (module / name).write_bytes(os.urandom(100_000))
    settings = tmp_path / "rsyncd.conf"
    settings.write_text(f"use chroot = no\nmunge symlinks = no\n[backup]\npath = {module}\n")
    own = pki.leaf()
    server = keep(StunnelServer(
        tmp_path, f"[rsyncd]\naccept = 127.0.0.1:0\ncert = {own.chain_file}\n"
        f"key = {own.key_file}\nexec = /usr/bin/rsync\n"
        f"execArgs = rsync --daemon --config={settings}\n"))
    running = program(fill("[rsync]\nclient = yes\naccept = 127.0.0.1:0\nverifyPeer = yes\n"
                           f"connect = {server.address}\nCAfile = {{leaf}}\n"))
    fetched = tmp_path / "fetched"
    address = running.addresses("rsync")[0]
    done = subprocess.run(["rsync", "-a", f"rsync://{address}/backup/", fetched],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    for name in ("one", "two"):
        assert (fetched / name).read_bytes() == (module / name).read_bytes()


@pytest.mark.needs("redis-server", "redis-cli")
def test_redis_wants_a_client_certificate(program, keep, pki, tmp_path, fill):
    own = pki.leaf()
    server, port = start_on_free_port(
        lambda port: ["redis-server", "--bind", "127.0.0.1", "--port", "0", "--tls-port", port,
                      "--tls-cert-file", own.chain_file, "--tls-key-file", own.key_file,
                      "--tls-ca-cert-file", pki.ca.file, "--dir", tmp_path, "--save", ""],
        tmp_path, "redis-server")
    keep(server)
    text = ("[redis]\nclient = yes\naccept = 127.0.0.1:0\nverifyChain = yes\nCAfile = {ca}\n"
            f"checkHost = localhost\nconnect = localhost:{port}\n")

    def ask(running, *words):
        host, port = running.addresses("redis")[0].split(":")
        return subprocess.run(["redis-cli", "-h", host, "-p", port, *words], capture_output=True,
                              text=True, timeout=PATIENCE)

    running = program(fill(text + "cert = {cert}\nkey = {key}\n"))
    value = "x" * 100_000
    assert ask(running, "set", "key", value).stdout == "OK\n"
    assert ask(running, "get", "key").stdout == value + "\n"
    running.stop()
    assert "PONG" not in ask(program(fill(text)), "ping").stdout


SCRIPT = """#!/bin/sh
echo "hello from $0 $1"
read -r answer
echo "$answer" >> {dir}/answers
"""


def test_program_is_the_client(program, witness, fill, tmp_path):
    """exec with connect: started at once, its standard input and output are the plaintext side."""
    script = tmp_path / "client.sh"
    script.write_text(SCRIPT.format(dir=tmp_path))
    script.chmod(0o755)
    heard = []

    def talk(peer):
        line = b""
        while not line.endswith(b"\n"):
            line += peer.recv_exact(1)
        heard.append(line)
        peer.send(b"answer\n")
        peer.read_to_end()

    server = witness(talk)
    program(fill("[exec]\nclient = yes\nexec = {dir}/client.sh\nexecArgs = client.sh joe\n"
                 "connect = {server}\nretry = yes\n", server))
    answers = tmp_path / "answers"
    eventually(lambda: answers.exists() and answers.read_text().count("answer\n") >= 2,
               "the program ran, and ran again")
    assert heard[0].startswith(b"hello from ") and heard[0].endswith(b" joe\n")


@pytest.mark.parametrize("form", ["socket", "pipes"])
def test_inetd(kind, tmp_path, witness, fill, form):
    server = witness(greets(b"+OK\r\n"))
    text = fill("client = yes\nconnect = {server}\nverify = 2\nCAfile = {ca}\n", server)
    if form == "socket":
        ours, theirs = socket.socketpair()
        process = run_on(kind, tmp_path, text, theirs, theirs)
        theirs.close()
        client = Peer(ours)
        served(client, b"+OK\r\n", os.urandom(100_000))
        client.close()
    else:
        process = run_on(kind, tmp_path, text, subprocess.PIPE, subprocess.PIPE)
        process.stdin.write(b"hello\n")
        process.stdin.close()
        assert process.stdout.read() == b"+OK\r\nhello\n"
        process.stdout.close()
    process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0
