// SPDX-License-Identifier: MIT
#include "keys/pkcs12.h"

#include <gnutls/pkcs12.h>

#include <utility>

namespace tunnel::keys {
namespace {

using Handle = std::unique_ptr<gnutls_pkcs12_int, x509::Free<&gnutls_pkcs12_deinit>>;

Handle import(std::string_view content) {
  // What is not a SEQUENCE is mostly PEM, and not worth a parser.
  if (content.empty() || content[0] != '\x30') return nullptr;
  gnutls_pkcs12_t raw = nullptr;
  if (gnutls_pkcs12_init(&raw) < 0) return nullptr;
  Handle handle(raw);
  const auto der = x509::lend(content);
  if (gnutls_pkcs12_import(raw, &der, GNUTLS_X509_FMT_DER, 0) < 0) return nullptr;
  return handle;
}

// GnuTLS allocates both lists and what is in them.
void take(gnutls_x509_crt_t* list, unsigned size, std::vector<x509::Certificate>& into) {
  for (unsigned i = 0; i < size; ++i) into.emplace_back(list[i]);
  gnutls_free(list);
}

struct Parsed {
  Pkcs12 contents;
  int error = 0;
  bool is_password_wrong = false;
};

Parsed parse(gnutls_pkcs12_t file, const char* password) {
  // Tells a wrong password; a file without a MAC has nothing to check.
  const int mac = gnutls_pkcs12_verify_mac(file, password);
  const bool has_mac =
      mac != GNUTLS_E_ASN1_VALUE_NOT_FOUND && mac != GNUTLS_E_ASN1_ELEMENT_NOT_FOUND;
  if (mac < 0 && has_mac) return {{}, mac, mac == GNUTLS_E_MAC_VERIFY_FAILED};
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t* chain = nullptr;
  gnutls_x509_crt_t* others = nullptr;
  unsigned chain_size = 0;
  unsigned others_size = 0;
  Parsed parsed;
  // Without the flag self-signed certificates would be left out, and a client's own may be one.
  parsed.error =
      gnutls_pkcs12_simple_parse(file, password, &key, &chain, &chain_size, &others, &others_size,
                                 nullptr, GNUTLS_PKCS12_SP_INCLUDE_SELF_SIGNED);
  if (parsed.error < 0) {
    // Without a MAC, a wrong password makes any nonsense of the contents.
    parsed.is_password_wrong =
        !has_mac && (password != nullptr || parsed.error == GNUTLS_E_DECRYPTION_FAILED);
    return parsed;
  }
  take(chain, chain_size, parsed.contents.certificates);
  take(others, others_size, parsed.contents.certificates);
  if (key == nullptr) return parsed;
  gnutls_privkey_t raw = nullptr;
  if (gnutls_privkey_init(&raw) == 0) {
    parsed.contents.key.reset(raw);
    parsed.error = gnutls_privkey_import_x509(raw, key, GNUTLS_PRIVKEY_IMPORT_COPY);
  }
  gnutls_x509_privkey_deinit(key);
  return parsed;
}

// What no password helps against.
void report_unreadable(const std::string& option, const std::string& path, int error,
                       x509::Problems& problems) {
  if (error == GNUTLS_E_UNKNOWN_CIPHER_TYPE) {
    return problems.error(option, path + ": is encrypted in a way that GnuTLS does not know",
                          "OpenSSL 3 makes a copy that it does, with `openssl pkcs12 -export`");
  }
  problems.error(option, path + ": the PKCS#12 file cannot be read: " + gnutls_strerror(error),
                 "it is damaged, or has something in it that GnuTLS does not know; `openssl pkcs12 "
                 "-info -in FILE` shows what it holds");
}

}  // namespace

bool is_pkcs12(std::string_view content) { return import(content) != nullptr; }

Pkcs12 read_pkcs12(const std::string& option, const std::string& path, std::string_view content,
                   const KeyPassword& password, x509::Problems& problems) {
  const auto file = import(content);
  if (!file) {
    problems.error(option, path + ": is not a PKCS#12 file");
    return {};
  }
  if (password.is_set()) {
    auto parsed = parse(file.get(), password.text());
    if (parsed.error >= 0) return std::move(parsed.contents);
    if (parsed.error == GNUTLS_E_UNKNOWN_CIPHER_TYPE || !parsed.is_password_wrong) {
      report_unreadable(option, path, parsed.error, problems);
    } else {
      problems.error(password.option(),
                     "the password in " + password.path() + " does not open " + path,
                     "the password is the file's first line, without its end");
    }
    return {};
  }
  // No password and an empty one are two things in PKCS#12: an empty one still ends with two zero
  // bytes (RFC 7292, appendix B.1).
  int unreadable = 0;
  for (const char* none : {static_cast<const char*>(nullptr), ""}) {
    auto parsed = parse(file.get(), none);
    if (parsed.error >= 0) return std::move(parsed.contents);
    if (!parsed.is_password_wrong) unreadable = parsed.error;
  }
  // One that is named and not set could not be read: a problem already.
  if (unreadable != 0) {
    report_unreadable(option, path, unreadable, problems);
  } else if (password.path().empty()) {
    problems.error(option, path + ": is encrypted, and tls.key_password_file is not set",
                   "put its password into a file that only the tunnel can read, and name "
                   "that in tls.key_password_file; a file without one is damaged");
  }
  return {};
}

}  // namespace tunnel::keys
