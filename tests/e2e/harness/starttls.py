# SPDX-License-Identifier: MIT
"""Servers that talk in plaintext first and then start TLS, one dialect per protocol."""

import re
from typing import NamedTuple

from .peer import Peer, TlsPeer
from .server import Server, echo

XMPP_OPENING = (b"<?xml version='1.0'?><stream:stream to='server.test' xmlns='jabber:client' "
                b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
XMPP_STREAM = (b"<?xml version='1.0'?><stream:stream from='server.test' id='1' version='1.0' "
               b"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
XMPP_FEATURES = (b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>"
                 b"</starttls></stream:features>")
XMPP_TLS = b"xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
LDAP_OID = b"1.3.6.1.4.1.1466.20037"
LDAP_REFUSAL = b"no certificate here"


def _ldap_response(code, words=b""):
    body = bytes([10, 1, code, 4, 0, 4, len(words)]) + words
    message = bytes([2, 1, 1, 0x78, len(body)]) + body
    return bytes([0x30, len(message)]) + message


def _pgsql_error(*fields):
    body = b"".join(field + b"\0" for field in fields) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


class Dialect(NamedTuple):
    """`questions` are what the server hears, each with its answer but the last one, which asks for
    TLS: bytes that come exactly so, or a pattern of a line. NAME stands for the server's name."""

    greeting: bytes  # what it says first
    questions: tuple
    agreement: bytes
    refusal: bytes
    words: str  # of the refusal, as a pattern of the tunnel's sentence
    shown: bytes | None = None  # what a client gets to see, where that is not the greeting
    in_tls: bytes = b""  # what the server says unasked once TLS is up


EHLO = b"250-NAME at your service\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
SIEVE = b'"IMPLEMENTATION" "NAME"\r\n"SIEVE" "fileinto"\r\n%sOK "Ready."\r\n'

DIALECTS = {
    "smtp": Dialect(b"220-NAME ESMTP\r\n220 welcome\r\n",
                    ((re.compile(rb"EHLO \S+\r\n"), EHLO), b"STARTTLS\r\n"),
                    b"220 go ahead\r\n", b"454 4.7.0 the key is lost\r\n",
                    "454 4.7.0 the key is lost"),
    "lmtp": Dialect(b"220 NAME LMTP\r\n",
                    ((re.compile(rb"LHLO \S+\r\n"), EHLO), b"STARTTLS\r\n"),
                    b"220 go ahead\r\n", b"454 4.7.0 the key is lost\r\n",
                    "454 4.7.0 the key is lost"),
    "imap": Dialect(b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED ID] NAME ready\r\n",
                    (re.compile(rb"\S+ STARTTLS\r\n"),),
                    b"TAG OK begin now\r\n", b"TAG NO not today\r\n", "NO not today",
                    shown=b"* OK [CAPABILITY IMAP4rev1 ID] NAME ready\r\n"),
    "pop3": Dialect(b"+OK NAME ready <1896.697170952@server.test>\r\n", (b"STLS\r\n",),
                    b"+OK begin\r\n", b"-ERR the key is lost\r\n", "-ERR the key is lost"),
    "nntp": Dialect(b"200 NAME, posting allowed\r\n", (b"STARTTLS\r\n",),
                    b"382 continue\r\n", b"580 cannot start TLS\r\n", "580 cannot start TLS"),
    "ftp": Dialect(b"220-NAME\r\n220 FTP ready\r\n", (b"AUTH TLS\r\n",),
                   b"234 AUTH TLS successful\r\n", b"431 no security here\r\n",
                   "431 no security here"),
    "sieve": Dialect(SIEVE % b'"STARTTLS"\r\n', (b"STARTTLS\r\n",),
                     b'OK "Begin."\r\n', b'NO "the key is lost"\r\n', "the key is lost",
                     shown=SIEVE % b'"SASL" "PLAIN"\r\n', in_tls=SIEVE % b'"SASL" "PLAIN"\r\n'),
    "xmpp": Dialect(b"", ((XMPP_OPENING, XMPP_STREAM + XMPP_FEATURES), b"<starttls " + XMPP_TLS),
                    b"<proceed " + XMPP_TLS, b"<failure " + XMPP_TLS, "failure"),
    "ldap": Dialect(b"", (b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + LDAP_OID,),
                    _ldap_response(0), _ldap_response(52, LDAP_REFUSAL), LDAP_REFUSAL.decode()),
    "pgsql": Dialect(b"", (b"\x00\x00\x00\x08\x04\xd2\x16\x2f",), b"S",
                     _pgsql_error(b"SFATAL", b"C53300", b"Mtoo many clients"),
                     "FATAL: 53300: too many clients"),
}


class StarttlsServer(Server):
    """Speaks the dialect, then `script` runs over TLS. With `refuses` it says no; `behind` is sent in
    the same breath as the agreement. What a script in plaintext saw last is in `refused`."""

    def __init__(self, dialect, context, name="one.test", script=echo, refuses=False, behind=b"",
                 **kwargs):
        self.dialect, self.context, self.name = dialect, context, name.encode()
        self.refuses, self.behind = refuses, behind
        self.handshakes = 0
        self._in_tls = script
        self.refused = []  # how clients that were refused went away
        super().__init__(self._talk, **kwargs)

    def _named(self, text, tag=b""):
        return text.replace(b"NAME", self.name).replace(b"TAG", tag)

    @property
    def shown(self):
        """What a client sees before it has said anything."""
        shown = self.dialect.shown
        return self._named(self.dialect.greeting if shown is None else shown)

    def _talk(self, peer):
        peer.send(self._named(self.dialect.greeting))
        *before, last = self.dialect.questions
        for question, answer in before:
            hear(peer, question)
            peer.send(self._named(answer))
        tag = hear(peer, last).split(b" ")[0]
        if self.refuses or self.behind:
            answer = self.dialect.refusal if self.refuses else self.dialect.agreement
            peer.send(self._named(answer, tag) + self.behind)
            self.refused.append(peer.read_to_end())
            return
        peer.send(self._named(self.dialect.agreement, tag))
        secured = TlsPeer(peer.sock, self.context)
        try:
            secured.handshake()
        except OSError:  # ssl.SSLError is one: the client did not like the certificate
            return
        self.handshakes += 1
        if self.dialect.in_tls:
            secured.send(self._named(self.dialect.in_tls))
        self._in_tls(secured)


def hear(peer: Peer, question):
    """What the peer says, which must be exactly these bytes or a line that matches."""
    if isinstance(question, bytes):
        said = peer.recv_exact(len(question))
        assert said == question
        return said
    line = b""
    while not line.endswith(b"\n"):
        line += peer.recv_exact(1)
    assert question.fullmatch(line), line
    return line
