// SPDX-License-Identifier: MIT
// The option table: keys of [NAME.tls].
#include <array>

#include "config/row.h"

namespace tunnel::config {

template <>
struct Words<Verify> {
  static constexpr auto kWords = std::to_array<Word>({
      {"full", static_cast<int>(Verify::full)},
      {"chain", static_cast<int>(Verify::chain)},
      {"pin", static_cast<int>(Verify::pin)},
      {"none", static_cast<int>(Verify::none)},
      {"peer", static_cast<int>(Verify::full), Availability::elsewhere},
      {"required", static_cast<int>(Verify::full), Availability::elsewhere},
      {"yes", static_cast<int>(Verify::full), Availability::elsewhere},
      {"true", static_cast<int>(Verify::full), Availability::elsewhere},
      {"on", static_cast<int>(Verify::full), Availability::elsewhere},
      {"ca", static_cast<int>(Verify::chain), Availability::elsewhere},
      {"no", static_cast<int>(Verify::none), Availability::elsewhere},
      {"false", static_cast<int>(Verify::none), Availability::elsewhere},
      {"off", static_cast<int>(Verify::none), Availability::elsewhere},
      // The levels of stunnel's old option.
      {"0", static_cast<int>(Verify::none), Availability::elsewhere},
      {"2", static_cast<int>(Verify::chain), Availability::elsewhere},
  });
};

template <>
struct Words<OcspMode> {
  static constexpr auto kWords = std::to_array<Word>({
      {"soft", static_cast<int>(OcspMode::soft)},
      {"require", static_cast<int>(OcspMode::require)},
      {"off", static_cast<int>(OcspMode::off)},
      {"true", static_cast<int>(OcspMode::require), Availability::elsewhere},
      {"false", static_cast<int>(OcspMode::off), Availability::elsewhere},
  });
};

template <>
struct Words<TlsVersion> {
  static constexpr auto kWords = std::to_array<Word>({
      {"1.0", static_cast<int>(TlsVersion::tls1_0)},
      {"1.1", static_cast<int>(TlsVersion::tls1_1)},
      {"1.2", static_cast<int>(TlsVersion::tls1_2)},
      {"1.3", static_cast<int>(TlsVersion::tls1_3)},
      // As OpenSSL, nginx, Go and others write them.
      {"TLSv1", static_cast<int>(TlsVersion::tls1_0), Availability::elsewhere},
      {"TLSv1.0", static_cast<int>(TlsVersion::tls1_0), Availability::elsewhere},
      {"TLSv1.1", static_cast<int>(TlsVersion::tls1_1), Availability::elsewhere},
      {"TLSv1.2", static_cast<int>(TlsVersion::tls1_2), Availability::elsewhere},
      {"TLSv1.3", static_cast<int>(TlsVersion::tls1_3), Availability::elsewhere},
      {"TLS1.0", static_cast<int>(TlsVersion::tls1_0), Availability::elsewhere},
      {"TLS1.1", static_cast<int>(TlsVersion::tls1_1), Availability::elsewhere},
      {"TLS1.2", static_cast<int>(TlsVersion::tls1_2), Availability::elsewhere},
      {"TLS1.3", static_cast<int>(TlsVersion::tls1_3), Availability::elsewhere},
      {"TLS12", static_cast<int>(TlsVersion::tls1_2), Availability::elsewhere},
      {"TLS13", static_cast<int>(TlsVersion::tls1_3), Availability::elsewhere},
      {"tls1_2", static_cast<int>(TlsVersion::tls1_2), Availability::elsewhere},
      {"tls1_3", static_cast<int>(TlsVersion::tls1_3), Availability::elsewhere},
      {"TLS 1.2", static_cast<int>(TlsVersion::tls1_2), Availability::elsewhere},
      {"TLS 1.3", static_cast<int>(TlsVersion::tls1_3), Availability::elsewhere},
  });
};

template <>
struct Words<MinStrength> {
  static constexpr auto kWords = std::to_array<Word>({
      {"112", static_cast<int>(MinStrength::bits112)},
      {"128", static_cast<int>(MinStrength::bits128)},
      {"192", static_cast<int>(MinStrength::bits192)},
      {"256", static_cast<int>(MinStrength::bits256)},
  });
};

namespace {

constexpr auto kTlsRows = std::to_array<Row<Tls>>({
    row<Type::choice, &Tls::verify>(
        {.key = "verify",
         .standard = "\"full\"",
         .help = "What is checked of the server's certificate. \"full\" is its chain and its name, "
                 "\"chain\" leaves the name out, \"pin\" accepts exactly what `pin` and "
                 "`peer_certs` name, and "
                 "\"none\" checks nothing, with a warning at each start."}),
    row<Type::readable_paths, &Tls::ca>(
        {.key = "ca",
         .stunnel = "CAfile",
         .help = "Certificates to trust: PEM or DER files, or folders of them. The default is the "
                 "system's trust store."}),
    row<Type::readable_paths, &Tls::peer_certs>(
        {.key = "peer_certs",
         .help =
             "The certificates that the server may have: PEM or DER files, or folders of them. Its "
             "subject and public key must be those of one of them. Like `pin`, in addition to the "
             "chain, "
             "or instead of it with verify = \"pin\"."}),
    row<Type::readable_paths, &Tls::crl>(
        {.key = "crl",
         .stunnel = "CRLfile",
         .help = "Revocation lists. The server's certificate must be covered by a current one: "
                 "a missing or expired list fails the connection (crl_unusable)."}),
    row<Type::choice, &Tls::ocsp>(
        {.key = "ocsp",
         .standard = "\"soft\"",
         .help = "What to do with the answer about revocation that a server may staple. \"soft\" "
                 "checks it if there is one, \"require\" fails without one, \"off\" ignores it."}),
    row<Type::texts, &Tls::name>(
        {.key = "name",
         .stunnel = "checkHost",
         .help = "The name or names that the certificate may carry, one match suffices. DNS names, "
                 "IP addresses, \"email:...\", or \"uri:spiffe://...\"; the default is the host of "
                 "the target. A wildcard in the certificate stands for a whole first label."}),
    row<Type::text, &Tls::sni>(
        {.key = "sni",
         .stunnel = "sni",
         .help = "The server name that is sent in the handshake; \"\" sends none. The default is "
                 "the first name, if it is not an IP address."}),
    row<Type::pins, &Tls::pin>(
        {.key = "pin",
         .help = "SHA-256 hashes of the public keys that the server may have: \"sha256:\" and hex "
                 "or base64. They hold in addition to the chain, or alone with verify = \"pin\"."}),
    row<Type::path_or_uri, &Tls::cert>(
        {.key = "cert",
         .stunnel = "cert",
         .help = "The client certificate with those above it: a PEM or PKCS#12 file, or a pkcs11: "
                 "URI. It is sent to every server that asks for one."}),
    row<Type::path_or_uri, &Tls::key>(
        {.key = "key",
         .stunnel = "key",
         .help = "The client certificate's private key: a PEM or PKCS#12 file, or a pkcs11: "
                 "URI. The default is to look for it in `cert`."}),
    row<Type::secret_path, &Tls::key_password_file>(
        {.key = "key_password_file",
         .help = "A file with the password of an encrypted key or PKCS#12 file, or the PIN of "
                 "a PKCS#11 token. Its first line counts; the process never asks for a "
                 "password."}),
    row<Type::text, &Tls::psk_identity>(
        {.key = "psk_identity",
         .stunnel = "PSKidentity",
         .help = "The identity of the pre-shared key to use, out of `psk_file`. The default is the "
                 "first one there."}),
    row<Type::secret_path, &Tls::psk_file>(
        {.key = "psk_file",
         .stunnel = "PSKsecrets",
         .help = "Pre-shared keys: lines of \"identity:hexkey\". Both sides prove that they know "
                 "the key, and no certificate is needed: without `ca`, `pin` and `peer_certs` none "
                 "is accepted instead."}),
    row<Type::choice, &Tls::min_version>(
        {.key = "min_version",
         .stunnel = "sslVersionMin",
         .standard = "\"1.2\"",
         .help = "The oldest version of TLS that is spoken. \"1.0\" and \"1.1\" are broken, and "
                 "allowed with a warning."}),
    row<Type::choice, &Tls::max_version>({.key = "max_version",
                                          .stunnel = "sslVersionMax",
                                          .standard = "\"1.3\"",
                                          .help = "The newest version of TLS that is spoken."}),
    row<Type::choice, &Tls::min_strength>(
        {.key = "min_strength",
         .stunnel = "securityLevel",
         .standard = "\"112\"",
         .help = "The least strength, in bits, of cipher suites, groups and certificates. It "
                 "holds for the keys and signatures of certificates, too: \"128\" asks for RSA "
                 "keys of 3072 bits or P-256, \"192\" for 8192 bits or P-384, \"256\" for 15360 "
                 "bits or P-521."}),
    row<Type::texts, &Tls::ciphers>(
        {.key = "ciphers",
         .help = "Cipher suites by their standard names, the preferred first. Anything negotiated "
                 "outside the list fails; where GnuTLS cannot offer the list without other suites, "
                 "a server that chooses one of those is offered less, on a new connection. The "
                 "default is ECDHE with AES-GCM and ChaCha20-Poly1305, "
                 "and AES-CBC for old TLS 1.2 servers."}),
    row<Type::texts, &Tls::groups>(
        {.key = "groups",
         .stunnel = "curves",
         .help = "Key exchange groups by their standard names, the preferred first."}),
    row<Type::text, &Tls::priority>(
        {.key = "priority",
         .help = "A whole GnuTLS priority string, for experts. It replaces min_version, "
                 "max_version, min_strength, ciphers and groups."}),
    row<Type::texts, &Tls::alpn>(
        {.key = "alpn", .help = "Application protocols to offer, the preferred first."}),
    row<Type::boolean, &Tls::resumption>(
        {.key = "resumption",
         .stunnel = "sessionResume",
         .standard = "true",
         .help = "Keeps session tickets per target, so that the next handshake is cheaper. Each is "
                 "used once, for an hour at most, and never past the end of the certificates or "
                 "revocation lists that the server was accepted with."}),
    row<Type::boolean, &Tls::allow_key_usage_violation>(
        {.key = "allow_key_usage_violation",
         .standard = "false",
         .help = "Accepts a server certificate whose key usage does not fit the key exchange. Such "
                 "as keyEncipherment alone with TLS 1.3: it is refused otherwise "
                 "(cert_key_usage). A stunnel.conf accepts it, as stunnel does."}),
    row<Type::path, &Tls::keylog>(
        {.key = "keylog",
         .help =
             "Writes the keys of every session to this file, for Wireshark. Anyone who reads it "
             "can read the traffic: a warning at each start. A file that is another user's, or "
             "that others have access to, is refused."}),
});

}  // namespace

template <>
std::span<const Row<Tls>> rows<Tls>() {
  return kTlsRows;
}

}  // namespace tunnel::config
