# SPDX-License-Identifier: MIT
"""A real mail system behind STARTTLS, used by clients that know nothing of TLS."""

import imaplib
import poplib
import re
import smtplib
import socket

import pytest
from harness import expect
from harness.accounts import IS_ROOT
from harness.mail import DOMAIN, Dovecot, Postfix
from harness.programs import missing
from harness.wait import PATIENCE, eventually

pytestmark = [
    pytest.mark.knows("starttls"), pytest.mark.needs("setpriv"),
    pytest.mark.skipif(not IS_ROOT, reason="these servers change their users: not without root")]

ADDRESS = f"joe@{DOMAIN}"


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory, pki):
    if absent := missing("dovecot"):
        pytest.skip(f"{absent} is not installed")
    server = Dovecot(tmp_path_factory.mktemp("dovecot"), pki.leaf())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def postfix(tmp_path_factory, pki):
    if absent := missing("postfix"):
        pytest.skip(f"{absent} is not installed")
    server = Postfix(tmp_path_factory.mktemp("postfix"), pki.leaf())
    yield server
    server.stop()


def where(tunnel, service="svc"):
    host, port = tunnel.address(service).split(":")
    return {"host": host, "port": int(port), "timeout": PATIENCE}


def logged_in(client):
    client.login("joe", Dovecot.PASSWORD)
    return client


def test_message_travels_from_smtp_to_mailbox_through_tunnels_only(start, pki, dovecot, postfix):
    """A client without TLS → Postfix → LMTP without TLS → Dovecot → IMAP and POP3 without TLS."""
    tls = {"ca": pki.ca.file, "name": "server.test"}
    service = {"accept": "127.0.0.1:0", "tls": tls}
    tunnel = start({
        "smtp": {**service, "connect": postfix.address, "starttls": "smtp"},
        "lmtp": {"accept": str(postfix.lmtp_socket), "unix_mode": "0666", "connect": dovecot.lmtp,
                 "starttls": "lmtp", "tls": tls},
        "imap": {**service, "connect": dovecot.imap, "starttls": "imap"},
        "pop3": {**service, "connect": dovecot.pop3, "starttls": "pop3"}})

    body = "".join(f"line {i} of a long message\r\n" for i in range(5000))
    with smtplib.SMTP(**where(tunnel, "smtp")) as client:
        client.sendmail(ADDRESS, [ADDRESS], f"Subject: hello\r\n\r\n{body}")
    assert tunnel.closed(service="smtp")["kind"] == "ok", tunnel.log.text()
    eventually(lambda: "status=sent" in postfix.text(), lambda: f"delivery:\n{postfix.text()}")
    delivered = tunnel.closed(service="lmtp")
    assert delivered["kind"] == "ok" and delivered["tls"], tunnel.log.text()

    with imaplib.IMAP4(**where(tunnel, "imap")) as client:
        logged_in(client).select()
        _, [found] = client.search(None, "SUBJECT", "hello")
        _, [(_, text), *_] = client.fetch(found, "(RFC822)")
        assert text.decode().endswith(body)
    assert tunnel.closed(service="imap")["kind"] == "ok", tunnel.log.text()

    client = poplib.POP3(**where(tunnel, "pop3"))
    client.user("joe")
    client.pass_(Dovecot.PASSWORD)
    _, lines, _ = client.retr(1)
    assert b"\r\n".join(lines).decode().endswith(body.rstrip())
    client.quit()
    assert tunnel.closed(service="pop3")["kind"] == "ok", tunnel.log.text()
    assert not re.search("warning|error|fatal|panic", postfix.text()), postfix.text()


# What each protocol offers: the list that the server gives inside TLS, where STARTTLS is not offered.

def test_smtp_client_sees_the_greeting_and_what_is_offered_in_tls(relay, postfix):
    tunnel = relay(postfix, starttls="smtp")
    client = smtplib.SMTP()
    assert client.connect(**{k: v for k, v in where(tunnel).items() if k != "timeout"}) == (
        220, b"server.test ESMTP Postfix")
    client.ehlo()
    assert client.has_extn("pipelining") and not client.has_extn("starttls")
    with pytest.raises(smtplib.SMTPNotSupportedError):
        client.starttls()
    assert client.docmd("STARTTLS")[0] in (503, 554)  # "TLS already active"
    client.quit()
    assert tunnel.closed()["kind"] == "ok"


def test_lmtp_client_sees_the_greeting_and_what_is_offered_in_tls(relay, dovecot):
    tunnel = relay(dovecot.lmtp, starttls="lmtp")
    client = smtplib.LMTP(where(tunnel)["host"], where(tunnel)["port"])
    client.ehlo()
    assert client.has_extn("pipelining") and not client.has_extn("starttls")
    client.quit()
    assert tunnel.closed()["kind"] == "ok"


def test_imap_client_is_offered_login_and_no_starttls(relay, dovecot):
    tunnel = relay(dovecot.imap, starttls="imap")
    with imaplib.IMAP4(**where(tunnel)) as client:
        assert client.welcome.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        assert b"STARTTLS" not in client.welcome and b"LOGINDISABLED" not in client.welcome
        assert "AUTH=PLAIN" in client.capabilities  # asked for by imaplib, answered in TLS
        assert not {"STARTTLS", "LOGINDISABLED"} & set(client.capabilities)
        logged_in(client).select()
    assert tunnel.closed()["kind"] == "ok"


def test_pop3_client_is_offered_login_and_no_stls(relay, dovecot):
    tunnel = relay(dovecot.pop3, starttls="pop3")
    client = poplib.POP3(**where(tunnel))
    offered = client.capa()
    assert "USER" in offered and "STLS" not in offered, offered
    client.user("joe")
    client.pass_(Dovecot.PASSWORD)
    client.quit()
    assert tunnel.closed()["kind"] == "ok"


def test_sieve_client_stores_a_script(relay, dovecot):
    tunnel = relay(dovecot.sieve, starttls="sieve")
    host, port, timeout = where(tunnel).values()
    with (socket.create_connection((host, port), timeout) as sock,
          sock.makefile("rwb") as lines):

        def answer():
            said = []
            while not said or not said[-1].startswith((b"OK", b"NO", b"BYE")):
                said.append(lines.readline())
                assert said[-1], said
            return said

        def ask(command):
            lines.write(command + b"\r\n")
            lines.flush()
            said = answer()
            assert said[-1].startswith(b"OK"), said
            return said

        offered = answer()
        assert not any(line.startswith(b'"STARTTLS"') for line in offered), offered
        assert b'"SASL" "PLAIN"\r\n' in offered, offered  # only in TLS
        ask(b'AUTHENTICATE "PLAIN" "AGpvZQBzZS1jcmV0"')
        ask(b'PUTSCRIPT "mine" {7+}\r\nkeep;\r\n')
        assert b'"mine"\r\n' in ask(b"LISTSCRIPTS")
        ask(b'DELETESCRIPT "mine"')
        assert len(ask(b"CAPABILITY")) > 3
        ask(b"LOGOUT")
    assert tunnel.closed()["kind"] == "ok", tunnel.log.text()


def test_wrong_password_is_the_servers_answer(relay, dovecot):
    tunnel = relay(dovecot.imap, starttls="imap")
    with imaplib.IMAP4(**where(tunnel)) as client:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login("joe", "wrong")


# Checks over the upgraded channel.

@pytest.mark.needs("dovecot")
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_checks_find_dovecot_alive_and_leave_no_error(relay, own, protocol):
    dovecot = own(Dovecot)

    class Service:
        address, text = getattr(dovecot, protocol), dovecot.text

    expect.checked_in_peace(relay, Service, protocol, rf"{protocol}-login: Info: .*, TLS",
                            r"error|warning|fatal|handshak", starttls=protocol)


@pytest.mark.needs("postfix")
def test_checks_find_postfix_alive_and_leave_no_error(relay, own):
    expect.checked_in_peace(relay, own(Postfix), "smtp", r"ehlo=2 starttls=1 quit=1 commands=4",
                            r"error|warning|lost connection|timeout|improper", starttls="smtp")
