# SPDX-License-Identifier: MIT
"""TLS 1.3: from EncryptedExtensions to Finished."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from harness.tunnel import gnutls_version

from . import changes as do
from . import messages as m
from .conversation import Lie

# GnuTLS 3.8 lets it pass, although RFC 8446, section 5, wants the connection ended.
CHANGE_OF_OTHER_CONTENT = "tls_failed" if gnutls_version() < (3, 8) else "ok"


def _altered(step, label):
    def row(name, spoil, kind="tls_failed", **more):
        return Lie(f"{label}-{name}", kind, alter={step: spoil}, **more)

    return row


_extensions = _altered("encrypted_extensions", "extensions")
_certificate = _altered("certificate", "certificate")
_verify = _altered("certificate_verify", "verify")
_finished = _altered("finished", "finished")
_ALPN = {"tls": {"alpn": ["postgresql"]}}


def _alpn(*names):
    return do.extra(m.ALPN, m.vector(2, b"".join(m.vector(1, n) for n in names)))


def _chain(change):
    return lambda c, made: m.certificate_13(change(c.chain()))


def _leaf_extension(number, content):
    return lambda c, made: m.certificate_13(c.chain(), extensions=m.extension(number, content))


def _signed(**how):
    return lambda c, made: c.certificate_verify(**how)


def _signed_by_another(c, made):
    signature = ec.generate_private_key(ec.SECP256R1()).sign(
        c.signed_content(), ec.ECDSA(hashes.SHA256()))
    return m.message(m.CERTIFICATE_VERIFY, m.u16(m.ECDSA_P256) + m.vector(2, signature))


def _signature(content, scheme=m.ECDSA_P256):
    return do.body(m.u16(scheme) + m.vector(2, content))


def _asked(context=b"", extensions=m.extension(m.SIGNATURE_ALGORITHMS, b"\0\2\4\3")):
    return do.hidden(m.CERTIFICATE_REQUEST, m.vector(1, context) + m.vector(2, extensions))


def _left_out(step):
    return {step: do.nothing}


EXTENSIONS = [
    _extensions("unknown", do.extra(0xfafa, b"x"), kind="ok"),
    _extensions("alpn-not-offered", _alpn(b"h2")),
    _extensions("alpn-other-than-offered", _alpn(b"h2"), service=_ALPN),
    _extensions("alpn-two", _alpn(b"postgresql", b"postgresql"), service=_ALPN, kind="ok"),
    _extensions("alpn-empty-name", _alpn(b""), service=_ALPN),
    _extensions("alpn-empty", do.extra(m.ALPN, b""), service=_ALPN),
    _extensions("alpn-as-offered", _alpn(b"postgresql"), kind="ok", service=_ALPN),
    _extensions("key-share", do.extra(m.KEY_SHARE, bytes(36))),
    _extensions("versions", do.extra(m.SUPPORTED_VERSIONS, b"\3\4")),
    _extensions("early-data", do.extra(m.EARLY_DATA)),
    _extensions("sct", do.extra(m.SCT, b"garbage"), kind="ok"),
    _extensions("psk", do.extra(m.PRE_SHARED_KEY, b"\0\0")),
    _extensions("fragment-length", do.extra(m.MAX_FRAGMENT_LENGTH, b"\1")),
    _extensions("record-limit-0", do.extra(m.RECORD_SIZE_LIMIT, b"\0\0")),
    _extensions("record-limit-63", do.extra(m.RECORD_SIZE_LIMIT, b"\0\77")),
    _extensions("record-limit-of-one-byte", do.extra(m.RECORD_SIZE_LIMIT, b"\1")),
    _extensions("twice-the-same", lambda c, made: do.extra(m.SUPPORTED_GROUPS, b"\0\2\0\x1d")(
        c, do.extra(m.SUPPORTED_GROUPS, b"\0\2\0\x1d")(c, made)), kind="ok"),
    _extensions("groups", do.extra(m.SUPPORTED_GROUPS, b"\0\2\0\x1d"), kind="ok"),
    _extensions("overrun", do.body(b"\xff\xff")),
    _extensions("of-one-byte", do.body(b"\0")),
    _extensions("empty", do.body(b""), kind="ok"),
    _extensions("trailing-bytes", do.body(b"\0\0more")),
    Lie("extensions-twice", "tls_failed",
        after={"encrypted_extensions": do.again("encrypted_extensions")}),
    Lie("extensions-left-out", "tls_failed", instead=_left_out("encrypted_extensions")),
    Lie("extensions-in-plaintext", "tls_failed", instead={
        "encrypted_extensions": do.unprotected(do.again("encrypted_extensions"))}),
]

CERTIFICATE = [
    _certificate("list-empty", lambda c, made: m.certificate_13([])),
    _certificate("empty", do.body(b"")),
    _certificate("with-a-context", lambda c, made: m.certificate_13(c.chain(), context=b"ctx")),
    _certificate("of-no-bytes", _chain(lambda chain: [b"", *chain[1:]])),
    _certificate("garbage", _chain(lambda chain: [b"\x30\x82\1\0" + bytes(256)])),
    _certificate("text", _chain(lambda chain: [b"-----BEGIN CERTIFICATE-----"])),
    _certificate("cut", _chain(lambda chain: [chain[0][:-1], *chain[1:]])),
    _certificate("with-a-tail", _chain(lambda chain: [chain[0] + b"\0", *chain[1:]])),
    _certificate("garbage-behind", _chain(lambda chain: [*chain, b"\x30\3\2\1\1"]),
                 kind="cert_untrusted"),
    _certificate("leaf-again", _chain(lambda chain: [chain[0], *chain]), kind="ok"),
    _certificate("100-links", _chain(lambda chain: [chain[0], *[chain[1]] * 99]),
                 kind="cert_untrusted"),
    _certificate("1-mib", _chain(lambda chain: [chain[0], *[chain[1]] * (
        (1 << 20) // (len(chain[1]) + 5))])),
    _certificate("one-of-1-mib", _chain(lambda chain: [b"\x30\x83\x10\0\0" + bytes(1 << 20)])),
    _certificate("backwards", _chain(lambda chain: chain[::-1]), kind="cert_key_usage"),
    _certificate("signature-broken", _chain(lambda chain: [
        chain[0][:-1] + bytes([chain[0][-1] ^ 1]), *chain[1:]]), kind="cert_untrusted"),
    _certificate("intermediate-broken", _chain(lambda chain: [
        chain[0], chain[1][:-1] + bytes([chain[1][-1] ^ 1])]), kind="cert_untrusted"),
    _certificate("intermediate-left-out", _chain(lambda chain: chain[:1]), kind="cert_untrusted"),
    _certificate("list-overrun", do.body(b"\0\xff\xff\xff")),
    _certificate("cut-short", lambda c, made: m.message(m.CERTIFICATE, made[4:-9])),
    _certificate("trailing-bytes", do.body(lambda b: b + b"more")),
    _certificate("ocsp-garbage", _leaf_extension(m.STATUS_REQUEST, b"\1\0\0\4abcd"),
                 kind="ocsp_failed"),
    _certificate("ocsp-empty", _leaf_extension(m.STATUS_REQUEST, b"")),
    _certificate("ocsp-of-another-type", _leaf_extension(m.STATUS_REQUEST, b"\7\0\0\4abcd"),
                 kind="ok"),
    _certificate("ocsp-overrun", _leaf_extension(m.STATUS_REQUEST, b"\1\xff\xff\xff")),
    _certificate("sct-garbage", _leaf_extension(m.SCT, b"garbage")),
    _certificate("unknown-extension", _leaf_extension(0xfafa, b"x")),
    Lie("certificate-claims-16-mib", "tls_failed", alter={
        "certificate": do.claimed_size(lambda size: 0xffffff)},
        after={"certificate": do.record(m.HANDSHAKE, bytes(16384), times=200)}),
    _certificate("compressed", lambda c, made: m.message(
        m.COMPRESSED_CERTIFICATE, b"\0\1" + m.u24(1 << 20) + m.vector(3, b"\x78\x9c\3\0\0\0\0\1"))),
    Lie("certificate-of-a-stranger", "cert_untrusted", identity=lambda pki: pki.untrusted),
    Lie("certificate-of-another-name", "cert_name_mismatch", identity=lambda pki: pki.wrong_name),
    Lie("certificate-expired", "cert_expired", identity=lambda pki: pki.expired),
    Lie("certificate-twice", "tls_failed", after={"certificate": do.again("certificate")}),
    Lie("certificate-left-out", "tls_failed", instead=_left_out("certificate")),
    Lie("certificate-asked-for", "ok", before={"certificate": _asked()}),
    Lie("certificate-asked-for-twice", "tls_failed",
        before={"certificate": do.in_turn(_asked(), _asked())}),
    Lie("certificate-asked-for-late", "tls_failed", after={"certificate": _asked()}),
    Lie("certificate-asked-for-without-schemes", "tls_failed",
        before={"certificate": _asked(extensions=b"")}),
    Lie("certificate-asked-for-with-garbage", "tls_failed",
        before={"certificate": do.hidden(m.CERTIFICATE_REQUEST, b"\xff\xff")}),
]

VERIFY = [
    _verify("signature-broken", do.flipped(-1)),
    _verify("signature-empty", _signature(b"")),
    _verify("signature-garbage", _signature(b"\x30\6\2\1\1\2\1\1")),
    _verify("signature-zeros", _signature(bytes(70))),
    _verify("signature-huge", _signature(bytes(60000))),
    _verify("signature-by-another-key", _signed_by_another),
    _verify("as-a-client", _signed(content=b"\0")),
    _verify("of-the-clients-context", lambda c, made: c.certificate_verify(
        content=c.signed_content(b"TLS 1.3, client CertificateVerify"))),
    _verify("of-another-transcript", lambda c, made: c.certificate_verify(
        content=c.signed_content()[:-32] + bytes(32))),
    _verify("scheme-of-another-curve", _signed(scheme=0x0503)),
    _verify("scheme-sha1", _signed(scheme=0x0203)),
    _verify("scheme-rsa", _signed(scheme=0x0804)),
    _verify("scheme-rsa-pkcs1", _signed(scheme=0x0401)),
    _verify("scheme-unknown", _signed(scheme=0xfefe)),
    _verify("overrun", do.body(b"\4\3\xff\xff")),
    _verify("empty", do.body(b"")),
    _verify("trailing-bytes", do.body(lambda b: b + b"more")),
    _verify("as-a-finished", do.kind(m.FINISHED)),
    Lie("verify-left-out", "tls_failed", instead=_left_out("certificate_verify")),
    Lie("verify-twice", "tls_failed", after={"certificate_verify": do.again("certificate_verify")}),
    Lie("certificate-and-verify-left-out", "tls_failed",
        instead={**_left_out("certificate"), **_left_out("certificate_verify")}),
]

FINISHED = [
    _finished("broken", do.flipped(-1)),
    _finished("short", do.body(lambda b: b[:-1])),
    _finished("long", do.body(lambda b: b + b"\0")),
    _finished("empty", do.body(b"")),
    _finished("zeros", do.body(bytes(32))),
    _finished("as-a-key-update", do.kind(m.KEY_UPDATE)),
    Lie("finished-in-plaintext", "tls_failed",
        instead={"finished": do.in_turn(do.unprotected(do.again("finished")), do.silence)}),
    Lie("finished-left-out", "tls_timeout", service={"timeouts": {"handshake": "500ms"}},
        instead={"finished": do.silence}),
    Lie("finished-first", "tls_failed", before={"encrypted_extensions": do.again("finished")}),
    Lie("data-before-finished", "tls_failed",
        before={"finished": do.record(m.APPLICATION_DATA, b"early")}),
    Lie("data-in-plaintext-before-finished", "tls_failed",
        before={"finished": do.raw(b"\x17\3\3\0\5early")}),
    Lie("ticket-before-finished", "tls_failed",
        before={"finished": lambda c: c.send_message(m.ticket_13())}),
    Lie("key-update-before-finished", "tls_failed",
        before={"finished": do.hidden(m.KEY_UPDATE, b"\0")}),
    Lie("end-of-early-data", "tls_failed", before={"finished": do.hidden(m.END_OF_EARLY_DATA)}),
    Lie("hello-request-in-the-flight", "tls_failed",
        before={"finished": do.hidden(m.HELLO_REQUEST)}),
    Lie("unknown-message-in-the-flight", "tls_failed", before={"finished": do.hidden(99, b"x")}),
    Lie("empty-message-fragments-in-the-flight", "tls_failed",
        before={"finished": do.record(m.HANDSHAKE, b"", times=100)}),
    Lie("change-of-ciphers-of-another-kind", CHANGE_OF_OTHER_CONTENT,
        instead={"change_cipher_spec": do.raw(b"\x14\3\3\0\1\2")}),
    Lie("change-of-ciphers-empty", "tls_failed",
        instead={"change_cipher_spec": do.raw(b"\x14\3\3\0\0")}),
    Lie("change-of-ciphers-of-two-bytes", CHANGE_OF_OTHER_CONTENT,
        instead={"change_cipher_spec": do.raw(b"\x14\3\3\0\2\1\1")}),
    Lie("change-of-ciphers-encrypted", "tls_failed",
        instead={"change_cipher_spec": do.record(m.CHANGE_CIPHER_SPEC, b"\1")}),
    Lie("change-of-ciphers-left-out", "ok", instead={"change_cipher_spec": do.nothing}),
    Lie("change-of-ciphers-later", "ok", before={"certificate_verify": do.raw(b"\x14\3\3\0\1\1")}),
    Lie("change-of-ciphers-before-the-hello", "tls_failed",
        before={"server_hello": do.raw(b"\x14\3\3\0\1\1")}),
]
