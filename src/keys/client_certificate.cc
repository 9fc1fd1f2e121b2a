// SPDX-License-Identifier: MIT
#include "keys/client_certificate.h"

#include <gnutls/crypto.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/wipe.h"
#include "keys/pkcs12.h"
#include "keys/private_key.h"
#include "keys/token.h"
#include "x509/chain.h"
#include "x509/file_text.h"
#include "x509/fingerprint.h"
#include "x509/pem_files.h"
#include "x509/x509_text.h"

namespace tunnel::keys {
namespace {

x509::Certificate import_der(std::string_view der) {
  gnutls_x509_crt_t raw = nullptr;
  if (gnutls_x509_crt_init(&raw) < 0) return nullptr;
  x509::Certificate certificate(raw);
  const auto datum = x509::lend(der);
  if (gnutls_x509_crt_import(raw, &datum, GNUTLS_X509_FMT_DER) < 0) return nullptr;
  return certificate;
}

// The place in `list` of the one that issued `certificate`, or its size. By names alone, without a
// look at signatures: this is about order, and the server judges.
std::size_t find_issuer(const std::vector<x509::Certificate>& list, gnutls_x509_crt_t certificate) {
  const auto it = std::ranges::find_if(list, [certificate](const x509::Certificate& other) {
    return gnutls_x509_crt_check_issuer(certificate, other.get()) != 0;
  });
  return static_cast<std::size_t>(it - list.begin());
}

// The leaf, then what issued what, then the rest: TLS 1.2 wants that order, files may have any.
std::vector<x509::Certificate> ordered(std::vector<x509::Certificate> from, std::size_t leaf) {
  std::vector<x509::Certificate> chain;
  const auto move_over = [&](std::size_t place) {
    chain.push_back(std::move(from[place]));
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(place));
  };
  move_over(leaf);
  while (!x509::is_self_issued(chain.back().get())) {
    const auto issuer = find_issuer(from, chain.back().get());
    if (issuer == from.size()) break;
    move_over(issuer);
  }
  std::ranges::move(from, std::back_inserter(chain));
  return chain;
}

}  // namespace

// Loading, step by step; what cannot go on after a problem stops there. Certificates and key may be
// in one file or in two, in PEM, DER or PKCS#12, or in a token; what a file is its content says,
// not its name. First both are collected, then assemble() looks which certificate the key belongs
// to, and puts the others in order behind it.
class ClientCertificate::Loading {
 public:
  Loading(const config::Tls& tls, WrongPins& wrong_pins) : tls_(tls), wrong_pins_(wrong_pins) {}

  std::unique_ptr<const ClientCertificate> run() {
    load();
    if (problems_.has_errors()) return nullptr;
    return std::move(result_);
  }

  [[nodiscard]] const x509::Problems& problems() const { return problems_; }

 private:
  void load() {
    if (tls_.cert.empty()) {
      if (!tls_.key.empty()) add("key", "tls.key needs tls.cert");
      if (!tls_.key_password_file.empty()) {
        add("key_password_file", "tls.key_password_file needs tls.cert");
      }
      result_ = nullptr;
      return;
    }
    result_->password_.load("key_password_file", tls_.key_password_file, problems_);
    load_pin();
    read_certificate_file();
    // The key comes first: a token's PIN, if it is wrong, is tried once and no more.
    read_key();
    if (is_token_uri(tls_.cert) && !problems_.has_errors()) {
      certificates_ = token_certificates("cert", tls_.cert, pin(), wrong_pins_, problems_);
    }
    if (!problems_.has_errors()) assemble();
    if (!problems_.has_errors()) warn();
    // The key of a file is open for good.
    if (!is_token_uri(key_source()) && !is_token_uri(tls_.cert)) result_->password_.forget();
  }
  [[nodiscard]] const KeyPassword& password() const { return result_->password_; }
  // What the URI names, or else tls.key_password_file.
  [[nodiscard]] const KeyPassword& pin() const {
    return result_->pin_.path().empty() ? result_->password_ : result_->pin_;
  }
  [[nodiscard]] std::string shown(const std::string& source) const {
    return is_token_uri(source) ? uri_for_people(source) : source;
  }
  [[nodiscard]] const std::string& key_source() const {
    return tls_.key.empty() ? tls_.cert : tls_.key;
  }

  // One PIN for both: that of the key's URI, or else that of the certificate's.
  void load_pin() {
    for (const auto& [option, uri] : {std::pair{"key", tls_.key}, std::pair{"cert", tls_.cert}}) {
      if (!is_token_uri(uri)) continue;
      const auto source = pin_source_of(uri);
      if (source.empty()) continue;
      if (!source.starts_with('/')) {
        return add(option, "pin-source in " + uri_for_people(uri) + " names no file",
                   "write it with the whole path: ?pin-source=file:/etc/tunnel/pin");
      }
      return result_->pin_.load(option, source, problems_);
    }
  }

  void read_certificate_file() {
    password_was_used_ = is_token_uri(tls_.cert);
    if (is_token_uri(tls_.cert)) return;
    // Read whole to see which form it is. A PEM file is then read again by find_pem_files, which
    // knows the line of each block for its sentences.
    auto content = x509::read_file(tls_.cert);
    if (content && is_pkcs12(*content)) {
      auto found = read_pkcs12("cert", tls_.cert, *content, password(), problems_);
      password_was_used_ = true;
      certificates_ = std::move(found.certificates);
      if (tls_.key.empty()) result_->key_ = std::move(found.key);
      if (certificates_.empty() && !problems_.has_errors()) {
        add("cert", tls_.cert + ": the PKCS#12 file holds no certificate");
      }
    } else {
      const auto contents = x509::read_pem_files(x509::find_pem_files("cert", {tls_.cert}),
                                                 x509::PemType::certificate);
      // tls.cert is one path, not a list: there is no entry to point at.
      for (auto problem : contents.problems.errors()) {
        problem.index = -1;
        problems_.error(std::move(problem));
      }
      for (const auto& object : contents.objects) {
        auto certificate = import_der(object.der);
        if (certificate) {
          certificates_.push_back(std::move(certificate));
        } else {
          add("cert", object.origin + ": the certificate that begins here cannot be read");
        }
      }
    }
    if (content) wipe(*content);  // there may be a key in it
  }

  void read_key() {
    if (result_->key_) return;
    if (is_token_uri(key_source())) {
      const bool is_own = !tls_.key.empty();
      const auto uri = is_own ? tls_.key : key_uri_of(tls_.cert);
      result_->key_ = token_key(is_own ? "key" : "cert", uri, pin(), wrong_pins_, problems_);
      password_was_used_ = true;
      return;
    }
    // Without certificates the file has been called broken already.
    if (tls_.key.empty() && certificates_.empty()) return;
    const std::string option = tls_.key.empty() ? "cert" : "key";
    auto content = x509::read_file(key_source());
    if (!content) return add(option, key_source() + ": " + content.error().text);
    if (is_pkcs12(*content)) {
      auto found = read_pkcs12(option, key_source(), *content, password(), problems_);
      password_was_used_ = true;
      result_->key_ = std::move(found.key);
      if (!result_->key_ && !problems_.has_errors()) {
        add(option, key_source() + ": the PKCS#12 file holds no private key", "set tls.key");
      }
    } else {
      auto found = read_private_key(option, key_source(), *content, password(), problems_);
      password_was_used_ = password_was_used_ || found.was_encrypted;
      result_->key_ = std::move(found.key);
    }
    wipe(*content);
  }

  // The leaf is the certificate that the key belongs to.
  void assemble() {
    const auto key = result_->key();
    const auto it = std::ranges::find_if(
        certificates_,
        [key](const x509::Certificate& certificate) { return belongs_to(key, certificate.get()); });
    if (it == certificates_.end()) {
      const auto leaf = certificates_.front().get();
      return add(tls_.key.empty() ? "cert" : "key",
                 "the private key in " + shown(key_source()) +
                     " does not belong to the certificate " + x509::subject_of(leaf) + " in " +
                     shown(tls_.cert),
                 certificates_.size() > 1 ? "nor to another certificate there" : "");
    }
    const auto leaf = static_cast<std::size_t>(it - certificates_.begin());
    const auto chain = ordered(std::move(certificates_), leaf);
    for (const auto& certificate : chain) {
      gnutls_pcert_st entry{};
      if (const int error = gnutls_pcert_import_x509(&entry, certificate.get(), 0); error < 0) {
        return add("cert", shown(tls_.cert) + ": " + gnutls_strerror(error));
      }
      result_->chain_.push_back(entry);
    }
    result_->description_ = x509::subject_of(chain.front().get()) + " (" + shown(tls_.cert) + ")";
    check_dates(chain.front().get());
  }

  void check_dates(gnutls_x509_crt_t leaf) {
    const auto now = std::time(nullptr);
    const auto begin = gnutls_x509_crt_get_activation_time(leaf);
    const auto end = gnutls_x509_crt_get_expiration_time(leaf);
    const std::string name = "tls.cert: the client certificate " + result_->description_;
    if (end != -1 && end < now) {
      problems_.warning("cert", name + " expired " + x509::span_text(now - end) + " ago, on " +
                                    x509::date_text(end) + ": servers will refuse it");
    }
    if (begin != -1 && begin > now) {
      problems_.warning("cert", name + " becomes valid only on " + x509::date_text(begin) +
                                    ": servers will refuse it until then");
    }
  }

  void warn() {
    const auto& source = key_source();
    const std::string key = tls_.key.empty() ? "cert" : "key";
    if (!is_token_uri(source) && !password_was_used_ && x509::is_world_readable(source)) {
      problems_.warning(key, "tls." + key +
                                 ": everybody on this machine can read the private key in " +
                                 source + "; chmod o-rwx " + source);
    }
    if (holds_pin(tls_.cert) || holds_pin(tls_.key)) {
      problems_.warning(key, "tls." + key +
                                 ": the URI holds the token's PIN, so everybody who can read the "
                                 "configuration has it; put it into tls.key_password_file");
    }
    if (password().is_set() && !password_was_used_) {
      problems_.warning("key_password_file", "tls.key_password_file: the private key in " + source +
                                                 " is not encrypted, so the password is not used");
    }
    if (password().is_set() && x509::is_world_readable(password().path())) {
      problems_.warning("key_password_file",
                        "tls.key_password_file: everybody on this machine can read " +
                            password().path() + "; chmod o-rwx " + password().path());
    }
  }

  void add(std::string key, std::string text, std::string hint = {}) {
    problems_.error(std::move(key), std::move(text), std::move(hint));
  }

  const config::Tls& tls_;
  WrongPins& wrong_pins_;
  x509::Problems problems_;
  std::unique_ptr<ClientCertificate> result_{new ClientCertificate()};
  std::vector<x509::Certificate> certificates_;
  bool password_was_used_ = false;
};

std::unique_ptr<const ClientCertificate> ClientCertificate::load(const config::Tls& tls,
                                                                 WrongPins& wrong_pins,
                                                                 x509::Problems& problems) {
  Loading loading(tls, wrong_pins);
  auto certificate = loading.run();
  problems.add(loading.problems());
  return certificate;
}

ClientCertificate::~ClientCertificate() {
  for (auto& entry : chain_) gnutls_pcert_deinit(&entry);
}

std::string ClientCertificate::fingerprint() const {
  const gnutls_datum_t& der = chain_.front().cert;
  return x509::sha256_text({reinterpret_cast<const char*>(der.data), std::size_t{der.size}});
}

// From its DER: what is kept to be lent to GnuTLS has no dates.
std::time_t ClientCertificate::expires() const {
  const gnutls_datum_t& der = chain_.front().cert;
  const x509::Certificate leaf =
      import_der({reinterpret_cast<const char*>(der.data), std::size_t{der.size}});
  const std::time_t end = leaf ? gnutls_x509_crt_get_expiration_time(leaf.get()) : -1;
  return end == -1 ? 0 : end;
}

std::string ClientCertificate::not_after() const {
  const std::time_t end = expires();
  return end != 0 ? x509::timestamp(end) : "";
}

}  // namespace tunnel::keys
