// SPDX-License-Identifier: MIT
#include "tls/context.h"

#include <gnutls/crypto.h>

#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "tls/context_impl.h"
#include "x509/pin.h"

namespace tunnel::tls {
namespace {

using config::Tls;
using config::Verify;

constexpr std::size_t kMaxAlpnLength = 255;  // RFC 7301: one byte of length
constexpr unsigned kMostAuthorities = 100;   // that a report lists

bool judges_chains(Verify verify) { return verify == Verify::full || verify == Verify::chain; }

// The names of a certificate request, for a report.
void note_request(const gnutls_cert_retr_st& request, Evidence& evidence) {
  evidence.is_certificate_requested = true;
  evidence.authorities.clear();
  for (unsigned i = 0; i < request.nreqs && i < kMostAuthorities; ++i) {
    x509::Datum name;
    if (gnutls_x509_rdn_get2(&request.req_ca_rdn[i], name.get(), 0) == 0) {
      evidence.authorities.push_back(printable(name.view()));
    }
  }
}

// Called only when the server has asked for a certificate.
int show_certificate(gnutls_session_t session, const gnutls_cert_retr_st* request,
                     gnutls_pcert_st** certificates, unsigned* count, gnutls_ocsp_data_st** ocsp,
                     unsigned* ocsp_count, gnutls_privkey_t* key, unsigned* flags) {
  const auto* owner = static_cast<const SessionOwner*>(gnutls_session_get_ptr(session));
  if (owner->evidence != nullptr) note_request(*request, *owner->evidence);
  *certificates = nullptr;
  *count = 0;
  *key = nullptr;
  *ocsp = nullptr;
  *ocsp_count = 0;
  *flags = 0;
  const auto* ours = owner->context.certificate.get();
  if (ours == nullptr) return 0;
  *certificates = const_cast<gnutls_pcert_st*>(ours->chain().data());  // lent: it only reads them
  *count = static_cast<unsigned>(ours->chain().size());
  // GnuTLS signs with it at once, on this loop: a slow token holds up the other connections of its
  // worker.
  *key = ours->key();
  return 0;
}

// Loading, step by step; every step adds its problems and goes on.
class Loader {
 public:
  Loader(const Tls& tls, Context::Shared& shared, Context::Purpose purpose)
      : tls_(tls),
        shared_(shared),
        purpose_(purpose),
        impl_(std::make_unique<Context::Impl>(shared.aead->provider)) {}

  void load() {
    load_identity();
    load_offer();
    load_anchors();
    load_crls();
    load_pins();
    load_alpn();
    load_credentials();
    load_psk();
    load_key_log();
    warn();
  }

  std::unique_ptr<Context::Impl> impl() {
    return !problems.has_errors() ? std::move(impl_) : nullptr;
  }
  x509::Problems problems;

 private:
  void load_identity() {
    std::array<char, 16> bytes{};
    if (const int error = gnutls_rnd(GNUTLS_RND_NONCE, bytes.data(), bytes.size()); error < 0) {
      add("verify", -1, std::string("no random numbers: ") + gnutls_strerror(error));
    }
    impl_->identity = std::make_shared<const std::string>(bytes.data(), bytes.size());
    impl_->resumption = tls_.resumption;
    impl_->allows_key_usage_violation = tls_.allow_key_usage_violation;
  }

  void load_offer() {
    if (!shared_.aead->problem.empty()) add("ciphers", -1, shared_.aead->problem);
    auto offer = make_offer(tls_, problems);
    if (!offer) return;
    impl_->policy.flags = offer->verify_flags;
    impl_->offer = *std::move(offer);
  }

  void load_anchors() {
    impl_->policy.verify = tls_.verify;
    // Files that are named are read even when they will not be used: a check should find them
    // broken.
    if ((judges_chains(tls_.verify) && !keys::needs_psk(tls_)) || !tls_.ca.empty()) {
      impl_->policy.anchors = shared_.trust.anchors(tls_.ca, problems);
    }
  }

  void load_crls() {
    impl_->policy.crls = x509::RevocationLists::load(tls_.crl, problems);
    impl_->policy.ocsp = tls_.ocsp;
    // With other modes no list and no response is looked at, although the user relies on it.
    if (judges_chains(tls_.verify)) return;
    static constexpr const char* kWhy = "needs tls.verify = \"full\" or \"chain\"";
    if (!tls_.crl.empty()) add("crl", -1, std::string("tls.crl ") + kWhy);
    if (tls_.ocsp == config::OcspMode::require) {
      add("ocsp", -1, std::string("tls.ocsp = \"require\" ") + kWhy);
    }
  }

  void load_pins() {
    int index = -1;
    for (const auto& text : tls_.pin) {
      ++index;
      if (auto pin = x509::parse_pin(text)) {
        impl_->policy.pins.push_back(*std::move(pin));
      } else {
        add("pin", index, pin.error().text,
            "a pin is the SHA-256 of the server's public key, for instance from `openssl x509 "
            "-in cert.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst "
            "-sha256`");
      }
    }
    impl_->policy.peers = x509::PeerCertificates::load(tls_.peer_certs, problems);
    if (tls_.verify == Verify::pin && tls_.pin.empty() && tls_.peer_certs.empty()) {
      add("verify", -1, "tls.verify = \"pin\" needs tls.pin or tls.peer_certs");
    }
    if (tls_.verify == Verify::none && !tls_.peer_certs.empty()) {
      add("peer_certs", -1, "tls.peer_certs has no effect with tls.verify = \"none\"",
          "tls.verify = \"pin\" checks it and nothing else");
    }
    if (tls_.verify == Verify::none && !tls_.pin.empty()) {
      add("pin", -1, "tls.pin has no effect with tls.verify = \"none\"",
          "tls.verify = \"pin\" checks the pin and nothing else");
    }
  }

  void load_alpn() {
    int index = -1;
    for (const auto& protocol : tls_.alpn) {
      ++index;
      if (protocol.empty() || protocol.size() > kMaxAlpnLength) {
        add("alpn", index, "a protocol name has 1 to 255 bytes");
      }
    }
    impl_->alpn = tls_.alpn;
  }

  void load_credentials() {
    gnutls_certificate_credentials_t credentials = nullptr;
    if (const int error = gnutls_certificate_allocate_credentials(&credentials); error < 0) {
      return add("cert", -1, gnutls_strerror(error));
    }
    impl_->credentials.reset(credentials);
    impl_->certificate = keys::ClientCertificate::load(tls_, shared_.wrong_pins, problems);
    // GnuTLS itself would choose by the authorities that a server names, and send nothing when ours
    // is not among them; such lists are often incomplete, and the server judges anyhow.
    gnutls_certificate_set_retrieve_function3(credentials, &show_certificate);
  }

  void load_psk() {
    impl_->psk = keys::PresharedKey::load(tls_, problems);
    impl_->policy.needs_psk = keys::needs_psk(tls_);
  }

  void load_key_log() {
    if (tls_.keylog.empty()) return;
    if (purpose_ == Context::Purpose::check) {
      if (auto good = KeyLog::check(tls_.keylog, shared_.owner); !good) {
        add("keylog", -1, good.error().text);
      }
      return;
    }
    auto log = KeyLog::open(tls_.keylog, shared_.owner);
    if (!log) return add("keylog", -1, log.error().text);
    impl_->key_log = *std::move(log);
  }

  void warn() {
    if (tls_.verify == Verify::none && !keys::needs_psk(tls_)) {
      problems.warning(
          "verify",
          "tls.verify = \"none\": the server is not verified, so anyone on the way can read and "
          "change everything; set tls.ca and remove tls.verify");
    }
    if (tls_.min_version < config::TlsVersion::tls1_2 && tls_.priority.empty()) {
      problems.warning(
          "min_version",
          "tls.min_version is below \"1.2\": TLS 1.0 and 1.1 are broken and only meant for "
          "servers that cannot do better");
    }
    if (!tls_.keylog.empty()) {
      problems.warning("keylog",
                       "tls.keylog: whoever can read " + tls_.keylog +
                           " can decrypt this service's traffic; remove the key when you are done");
    }
  }

  void add(std::string key, int index, std::string text, std::string hint = {}) {
    problems.error(std::move(key), index, std::move(text), std::move(hint));
  }

  const Tls& tls_;
  Context::Shared& shared_;
  Context::Purpose purpose_;
  std::unique_ptr<Context::Impl> impl_;
};

}  // namespace

Context::Loaded Context::load(const Tls& tls, Shared& shared, Purpose purpose) {
  Loader loader(tls, shared, purpose);
  loader.load();
  Loaded loaded;
  if (auto impl = loader.impl()) loaded.context.reset(new Context(std::move(impl)));
  loaded.problems = loader.problems.errors();
  for (const auto& warning : loader.problems.warnings()) loaded.warnings.push_back(warning.text);
  return loaded;
}

Context::Context(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  const x509::VerifyPolicy& policy = impl_->policy;
  if (impl_->certificate) ends_.client = impl_->certificate->expires();
  if (policy.anchors) ends_.ca = policy.anchors->earliest_end();
  ends_.crl = policy.crls.next_update();
}
Context::~Context() = default;

Context::Shown Context::client_certificate() const {
  const keys::ClientCertificate* certificate = impl_->certificate.get();
  if (certificate == nullptr) return {};
  return {certificate->fingerprint(), certificate->not_after()};
}

}  // namespace tunnel::tls
