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
};

Parsed parse(gnutls_pkcs12_t file, const char* password) {
  // Tells a wrong password; a file without a MAC has nothing to check.
  const int mac = gnutls_pkcs12_verify_mac(file, password);
  if (mac < 0 && mac != GNUTLS_E_ASN1_VALUE_NOT_FOUND && mac != GNUTLS_E_ASN1_ELEMENT_NOT_FOUND) {
    return {{}, mac};
  }
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
  if (parsed.error < 0) return parsed;
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
    if (parsed.error == GNUTLS_E_UNKNOWN_CIPHER_TYPE) {
      problems.error(option, path + ": is encrypted in a way that GnuTLS does not know",
                     "OpenSSL 3 makes a copy that it does, with `openssl pkcs12 -export`");
    } else {
      problems.error(password.option(),
                     "the password in " + password.path() + " does not open " + path,
                     "the password is the file's first line, without its end");
    }
    return {};
  }
  // No password and an empty one are two things in PKCS#12: an empty one still ends with two zero
  // bytes (RFC 7292, appendix B.1).
  for (const char* none : {static_cast<const char*>(nullptr), ""}) {
    auto parsed = parse(file.get(), none);
    if (parsed.error >= 0) return std::move(parsed.contents);
  }
  // One that is named and not set could not be read: a problem already.
  if (password.path().empty()) {
    problems.error(option, path + ": is encrypted, and tls.key_password_file is not set",
                   "put its password into a file that only the tunnel can read, and name "
                   "that in tls.key_password_file");
  }
  return {};
}

}  // namespace tunnel::keys
