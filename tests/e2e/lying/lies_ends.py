# SPDX-License-Identifier: MIT
"""Alerts of each kind, close_notify, FIN and RST at each moment, of both versions."""

import os

from . import changes as do
from . import messages as m
from .conversation import DATA, Lie

_ALERTS = {"unexpected-message": 10, "bad-record": 20, "overflow": 22, "handshake-failure": 40,
           "no-certificate": 41, "bad-certificate": 42, "unsupported-certificate": 43,
           "revoked": 44, "expired": 45, "unknown-certificate": 46, "illegal-parameter": 47,
           "unknown-ca": 48, "access-denied": 49, "decode-error": 50, "decrypt-error": 51,
           "export": 60, "protocol-version": 70, "insufficient-security": 71,
           "internal-error": 80, "inappropriate-fallback": 86, "no-renegotiation": 100,
           "missing-extension": 109, "unsupported-extension": 110, "unrecognized-name": 112,
           "bad-status": 113, "unknown-psk": 115, "certificate-required": 116, "no-alpn": 120,
           "200": 200, "255": 255}

_MOMENTS = {"before-hello": ("before", "server_hello"), "in-flight": ("before", "certificate"),
            "before-finished": ("before", "finished"), "later": ("after", "answer")}

# Where the handshake is cut off: everywhere in the first records' headers, then here and there, or,
# with LYING_EVERY_BYTE in the environment, after each byte.
_CUTS = range(1, 1000) if "LYING_EVERY_BYTE" in os.environ else (
    *range(1, 12), *range(12, 1000, 61))


def _at(moment, name, action, kind, **more):
    when, step = _MOMENTS[moment]
    return Lie(f"{name}-{moment}", kind, **{when: {step: do.in_turn(action, do.silence)}}, **more)


# What a server says that has seen a client's certificate, or none, and what one says that speaks
# none of the versions. Afterwards both are alerts like others.
_OF_CERTIFICATES, _OF_VERSIONS = {42, 43, 44, 45, 46, 48, 49, 116}, {70}


def _alert_kind(number, moment):
    if moment != "later" and number in _OF_CERTIFICATES:
        return "client_cert_rejected"
    return "tls_version" if moment != "later" and number in _OF_VERSIONS else "tls_alert"


def ends(service):
    how = {"service": service}
    rows = [_at(moment, "alert-" + name, do.alert(number), _alert_kind(number, moment), **how)
            for name, number in _ALERTS.items() for moment in _MOMENTS]
    for moment in _MOMENTS:
        is_late = moment == "later"
        rows += [
            _at(moment, "fin", do.fin, "truncated" if is_late else "tls_closed", **how),
            _at(moment, "rst", do.reset, "reset_by_server" if is_late else "tls_closed", **how),
            _at(moment, "alert-of-one-byte", do.record(m.ALERT, b"\2"), "tls_failed", **how),
            _at(moment, "garbage", do.raw(b"\xff" * 64),
                "not_tls" if moment == "before-hello" else "tls_failed", **how),
        ]
        if not is_late:
            rows.append(_at(moment, "close-notify", do.alert(0, level=1), "tls_closed", **how))
    rows += [
        _at("before-hello", "alert-empty", do.record(m.ALERT, b""), "tls_failed", **how),
        _at("later", "alert-empty", do.record(m.ALERT, b""), "tls_failed", **how),
        Lie("close-notify-with-data-behind", "ok",
            before={"end": lambda c: (c.send_alert(0, 1), c.send_record(m.APPLICATION_DATA, b"x"),
                                      c._drain())}, **how),
        Lie("close-notify-with-garbage-behind", "ok",
            before={"end": lambda c: (c.send_alert(0, 1), c.send_raw(b"\xff" * 99),
                                      c._drain())}, **how),
        Lie("close-notify-as-fatal", "ok", instead={"end": lambda c: (
            c.send_alert(0, 2), c._drain())}, **how),
        Lie("close-notify-then-fin", "ok", after={"answer": lambda c: (
            c.send_alert(0, 1), c.fin())}, **how),
        Lie("close-notify-then-rst", "ok", after={"answer": lambda c: (
            c.send_alert(0, 1), c.reset())}, **how),
        Lie("warnings", "ok", after={"answer": do.alert(90, level=1)}, **how),
        Lie("warnings-without-end", "tls_failed", after={
            "answer": lambda c: [c.send_alert(90, 1) for _ in range(100)]}, **how),
        Lie("data-then-fatal-alert", "tls_alert", delivered=DATA + b"x" * 100000, after={
            "answer": lambda c: ([c.send_record(m.APPLICATION_DATA, b"x" * 10000)
                                  for _ in range(10)], c.send_alert(80))}, **how),
        Lie("data-then-fin", "truncated", delivered=DATA + b"x" * 100000, after={
            "answer": lambda c: ([c.send_record(m.APPLICATION_DATA, b"x" * 10000)
                                  for _ in range(10)], c.fin())}, **how),
        Lie("record-cut-by-fin", "truncated", after={"answer": lambda c: (
            c.send_raw(c.writing.seal(m.APPLICATION_DATA, b"x" * 100)[:50]), c.fin())}, **how),
        Lie("header-cut-by-fin", "truncated", after={"answer": lambda c: (
            c.send_raw(b"\x17\3\3"), c.fin())}, **how),
        Lie("two-alerts-in-one-record", "ok", instead={"end": do.in_turn(
            do.record(m.ALERT, b"\1\0\2\x28"), lambda c: c._drain())}, **how),
    ]
    rows += [Lie(f"{name}-after-{size}-bytes", "tls_closed", cut=(size, action), **how)
             for name, action in (("fin", do.fin), ("rst", do.reset)) for size in _CUTS]
    return rows
