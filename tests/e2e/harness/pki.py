# SPDX-License-Identifier: MIT
"""A certificate authority made on the fly, with everything that can be wrong with certificates."""

import datetime
import hashlib
import ipaddress
import ssl
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)

SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
NAMES = ("localhost", "server.test")
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "::1")


def new_key(kind="ec"):
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def _pkcs8(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Identity:
    """A certificate, its key, and the files that servers read: chain (leaf first), cert, key."""

    def __init__(self, folder, label, cert, key, issuers):
        self.cert, self.key, self.chain = cert, key, [cert, *issuers]
        self.chain_file = folder / f"{label}.chain.pem"
        self.cert_file = folder / f"{label}.cert.pem"
        self.key_file = folder / f"{label}.key.pem"
        self.issuers_file = folder / f"{label}.issuers.pem"
        self.cert_file.write_bytes(_pem(cert))
        self.issuers_file.write_bytes(b"".join(map(_pem, issuers)))
        self.chain_file.write_bytes(b"".join(map(_pem, [cert, *issuers])))
        self.key_file.write_bytes(_pkcs8(key))

    @property
    def pin(self):
        """The SPKI pin as the configuration writes it."""
        spki = self.cert.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return "sha256:" + hashlib.sha256(spki).hexdigest()

    @property
    def fingerprint(self):
        """The SHA-256 of the certificate."""
        return self.cert.fingerprint(hashes.SHA256()).hex()


class Authority:
    def __init__(self, folder, label, parent=None):
        self.folder, self.label, self.parent = folder, label, parent
        self.key = new_key()
        signer = parent or self
        self.cert = (
            x509.CertificateBuilder()
            .subject_name(_name(f"Test {label}"))
            .issuer_name(parent.cert.subject if parent else _name(f"Test {label}"))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 400 * DAY).not_valid_after(NOW + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False,
                                         False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()),
                           critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                signer.key.public_key()), critical=False)
            .sign(signer.key, hashes.SHA256()))
        self.file = folder / f"{label}.pem"
        self.file.write_bytes(_pem(self.cert))

    def issuers(self):
        """The certificates a server sends after its own: this one and its parents but the root."""
        return [self.cert, *self.parent.issuers()] if self.parent else []

    def issue(self, label, names=NAMES, addresses=ADDRESSES, days=(-30, 60), key="ec",
              purposes=(SERVER_AUTH,), common_name=None, uris=(), key_usage=None):
        key = new_key(key) if isinstance(key, str) else key
        alternatives = [x509.DNSName(n) for n in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
        alternatives += [x509.UniformResourceIdentifier(u) for u in uris]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name or label))
            .issuer_name(self.cert.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + days[0] * DAY).not_valid_after(NOW + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self.key.public_key()), critical=False)
            .add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False))
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives),
                                            critical=False)
        if key_usage:
            uses = ["digital_signature", "content_commitment", "key_encipherment",
                    "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                    "encipher_only", "decipher_only"]
            builder = builder.add_extension(
                x509.KeyUsage(**{use: use == key_usage for use in uses}), critical=True)
        cert = builder.sign(self.key, hashes.SHA256())
        return Identity(self.folder, label, cert, key, self.issuers())

    def with_sha1(self, identity, label):
        """The same certificate, signed with SHA-1, which python's cryptography does not do any
        more."""
        key_file = self.folder / f"{self.label}.key.pem"
        key_file.write_bytes(_pkcs8(self.key))
        request = x509.CertificateSigningRequestBuilder().subject_name(identity.cert.subject)
        for extension in identity.cert.extensions:
            request = request.add_extension(extension.value, extension.critical)
        done = subprocess.run(
            ["openssl", "x509", "-req", "-CA", self.file, "-CAkey", key_file, "-sha1", "-days", "60",
             "-set_serial", str(x509.random_serial_number()), "-copy_extensions", "copyall"],
            input=_pem(request.sign(identity.key, hashes.SHA256())), capture_output=True, check=True)
        return Identity(self.folder, label, x509.load_pem_x509_certificate(done.stdout),
                        identity.key, self.issuers())

    def crl(self, label, revoked=(), days=(-1, 30)):
        """A revocation list as a file."""
        builder = (x509.CertificateRevocationListBuilder()
                   .issuer_name(self.cert.subject)
                   .last_update(NOW + days[0] * DAY).next_update(NOW + days[1] * DAY)
                   .add_extension(x509.CRLNumber(1), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self.key.public_key()), critical=False))
        for identity in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(identity.cert.serial_number)
                .revocation_date(NOW - DAY).build())
        path = self.folder / f"{label}.crl.pem"
        path.write_bytes(builder.sign(self.key, hashes.SHA256())
                         .public_bytes(serialization.Encoding.PEM))
        return path

    def ocsp(self, label, identity, revoked=False, days=(-1, 30)):
        """An OCSP response for the identity, signed by this authority, as a DER file."""
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        response = (ocsp.OCSPResponseBuilder()
                    .add_response(cert=identity.cert, issuer=self.cert, algorithm=hashes.SHA1(),
                                  cert_status=status, this_update=NOW + days[0] * DAY,
                                  next_update=NOW + days[1] * DAY,
                                  revocation_time=NOW - DAY if revoked else None,
                                  revocation_reason=None)
                    .responder_id(ocsp.OCSPResponderEncoding.HASH, self.cert)
                    .certificates([self.cert])
                    .sign(self.key, hashes.SHA256()))
        path = self.folder / f"{label}.ocsp.der"
        path.write_bytes(response.public_bytes(serialization.Encoding.DER))
        return path


class Pki:
    """`ca` is the root that tunnels trust; servers' certificates come from `intermediate` below it.

    Nobody trusts `stranger`. The identities are made at their first use.
    """

    def __init__(self, folder):
        self.folder = folder
        self.ca = Authority(folder, "ca")
        self.intermediate = Authority(folder, "intermediate", parent=self.ca)
        self.stranger = Authority(folder, "stranger")
        self._made = {}

    def _once(self, label, make):
        if label not in self._made:
            self._made[label] = make(label)
        return self._made[label]

    def leaf(self, label="good", **kwargs):
        """A server certificate by the intermediate; `kwargs` (of issue) count at the first call."""
        return self._once(label, lambda name: self.intermediate.issue(name, **kwargs))

    @property
    def expired(self):
        return self.leaf("expired", days=(-60, -2))

    @property
    def not_yet_valid(self):
        return self.leaf("not-yet-valid", days=(2, 60))

    @property
    def wrong_name(self):
        return self.leaf("wrong-name", names=["other.test"], addresses=[])

    @property
    def weak_key(self):
        return self.leaf("weak-key", key="rsa1024")

    @property
    def sha1(self):
        return self._once("sha1", lambda name: self.intermediate.with_sha1(self.leaf(), name))

    @property
    def client_only(self):
        return self.leaf("client-only", purposes=[CLIENT_AUTH])

    @property
    def for_encipherment(self):
        return self.leaf("for-encipherment", key="rsa2048", key_usage="key_encipherment")

    @property
    def revoked(self):
        return self.leaf("revoked")

    @property
    def untrusted(self):
        return self._once("untrusted", lambda name: self.stranger.issue(name))

    def context(self, identity=None, minimum=None, maximum=None, tickets=None, client_ca=None,
                alpn=None, keylog=None):
        """The server's side for python's ssl; it accepts everything that OpenSSL still can do."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        identity = identity or self.leaf()
        context.load_cert_chain(identity.chain_file, identity.key_file)
        context.minimum_version = minimum or ssl.TLSVersion.TLSv1_2
        context.maximum_version = maximum or ssl.TLSVersion.TLSv1_3
        if tickets is not None:
            context.num_tickets = tickets
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca.file)
        if alpn:
            context.set_alpn_protocols(alpn)
        if keylog:
            context.keylog_filename = str(keylog)
        return context
