#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Evaluates cipher lists twice, with our reading of them and with the installed OpenSSL.

Usage: compare_openssl.py OPENSSL_LIST, a program that prints one line for each list it is given.
Suites without encryption are left out: nothing speaks them, and their place in a list means nothing.
"""

import os
import re
import shutil
import subprocess
import sys

# What people write, and what the grammar allows.
LISTS = """
DEFAULT
ALL
ALL:COMPLEMENTOFALL
ALL:COMPLEMENTOFDEFAULT
COMPLEMENTOFDEFAULT
HIGH
HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK
FIPS:!DH:!kDHEPSK
HIGH:!aNULL:!MD5
HIGH:!aNULL:!eNULL:!EXPORT:!DES:!MD5:!PSK:!RC4
HIGH:!DH:!aNULL:!SSLv2
HIGH:+3DES:+DH:!aNULL:!SSLv2
ALL:!SSLv2:!aNULL:!EXP:!LOW:-MEDIUM:RC4:+HIGH
ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH
ALL:!aNULL:!ADH:!eNULL:!LOW:!EXP:RC4+RSA:+HIGH:+MEDIUM
DEFAULT:!EXP:!LOW
DEFAULT:!SHA1:+AES256
DEFAULT!SHA
DEFAULT+AES
DEFAULT:PSK
DEFAULT:+DEFAULT
ECDHE-RSA-AES128-GCM-SHA256
ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384
ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL
ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS
EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH+ECDSA+SHA384:EECDH+aRSA+SHA384:EECDH:EDH+aRSA:!RC4:!aNULL
kEECDH+AES128:kEECDH+AES256:kEDH+AES128:+SHA:!aNULL
TLSv1.2
TLSv1.2:!aNULL
TLSv1.2+FIPS:kRSA+FIPS:!eNULL:!aNULL
TLSv1
TLSv1.0
SSLv3
SSLv3:TLSv1.2
HIGH:-SHA1:AES128-SHA:+AES256+ECDHE
ALL:-AES:AES128:AES256
ALL:-AES128:-AES256:AES
ALL:-kECDHE:-kDHE:ALL
ALL:-aRSA:-aECDSA:ALL:!aNULL
ALL:!AES:AES
!ALL:ALL
AES256-SHA:AES128-SHA
AES128:AES256
AES256:AES128:@STRENGTH
HIGH:@STRENGTH
ALL:+AES256:+AES128
ALL:+kRSA:+SHA1
ALL:@STRENGTH:+kPSK
AESCCM
AESCCM8
AESGCM
AES128+SHA
CAMELLIA:!aNULL
CAMELLIA128:CAMELLIA256
ARIA
ARIAGCM:ARIA128:ARIA256
CBC
CHACHA20
CHACHA20:AESGCM
PSK
kPSK
aPSK
kECDHEPSK
kDHEPSK
kRSAPSK
PSK-AES256-GCM-SHA384:PSK-AES128-CBC-SHA
kECDHEPSK+AES256:kPSK
SRP
aSRP
RSA
kRSA
aRSA
aECDSA
ECDSA
aDSS
DSS
aNULL
ADH
AECDH
eNULL:AES128-SHA
EDH
DHE
EECDH
ECDHE
DH
ECDH
MD5:SHA
SHA256
SHA384
SHA1
FIPS
SUITEB128
SUITEB128ONLY
SUITEB192
SUITEB128:FOO
HIGH:SUITEB128
HIGH:FOO
HIGH:!FOO
FOO
LOW
MEDIUM
HIGH:MEDIUM:LOW
EXP
3DES
SEED
HIGH!aNULL
HIGH;AES
HIGH, AES
HIGH AES !SHA1
::HIGH::
kRSA+kPSK
kRSA+FOO
AES128+ECDHE-RSA-AES128-SHA256
AES256+ECDHE-RSA-AES128-SHA256
+HIGH
-HIGH
high
HIGH+
HIGH:AES+
HIGH:!
HIGH:@
@FOO
HIGH:@FOO
HIGH:*
"HIGH"
HIGH:@STRENGTH+x
HIGH:@STRENGTH@SECLEVEL=1
ALL:!!SHA1
ALL:@SECLEVEL=9
ALL:@SECLEVEL=10
ALL:@SECLEVEL=
ALL:@SECLEVEL=1
:
""".strip("\n").splitlines()

# With each security level: what `-s` leaves is what a client would offer.
AT_LEVELS = ["ALL:COMPLEMENTOFALL", "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK", "kRSA:kECDHE", "PSK:aRSA"]


def openssl(*arguments):
    """The names that it prints without those of TLS 1.3, or ["error"]."""
    answer = subprocess.run(
        ["openssl", "ciphers", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENSSL_CONF": "/dev/null"},
    )
    if answer.returncode != 0:
        return ["error"]
    return [name for name in answer.stdout.strip().split(":") if not name.startswith("TLS_")]


def ours(program, lists):
    answer = subprocess.run([program, *lists], capture_output=True, text=True, check=True)
    lines = answer.stdout.splitlines()
    assert len(lines) == len(lists), answer.stdout
    return [line.split() for line in lines]


def encrypted(names):
    return [name for name in names if "NULL" not in name]


def version():
    text = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.match(r"OpenSSL (\d+)\.(\d+)", text).groups()))


def without_ccm8(names):
    """Since 3.2 OpenSSL says that suites with a short tag are of 64 bits, which moves them out of HIGH
    and to the end of lists. Ours follow 3.0, for which most files that name them were written."""
    return [name for name in names if not name.endswith("-CCM8")] or ["error"]


def main():
    if shutil.which("openssl") is None:
        print("openssl is not installed")
        return 77
    wrong = 0
    compared = 0
    is_ccm8_weak = version() >= (3, 2)

    def compare(what, mine, theirs):
        nonlocal wrong, compared
        compared += 1
        if is_ccm8_weak:
            mine, theirs = without_ccm8(mine), without_ccm8(theirs)
        if encrypted(mine) == encrypted(theirs) and set(mine) == set(theirs):
            return
        wrong += 1
        print(f"{what}\n  ours    {' '.join(mine)}\n  OpenSSL {' '.join(theirs)}")

    for text, mine in zip(LISTS, ours(sys.argv[1], LISTS)):
        compare(text, mine, openssl(text))
    # Every suite under its own name.
    suites = openssl("ALL:COMPLEMENTOFALL")
    for text, mine in zip(suites, ours(sys.argv[1], suites)):
        compare(text, mine, [text])
    at_levels = [(level, text) for level in range(6) for text in AT_LEVELS]
    answers = ours(sys.argv[1], [f"{level}={text}" for level, text in at_levels])
    for (level, text), mine in zip(at_levels, answers):
        theirs = openssl("-s", "-psk", "-srp", "-tls1_2", f"{text}:@SECLEVEL={level}")
        compare(f"{text} at level {level}", mine, theirs)
    print(f"{compared} lists compared, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
