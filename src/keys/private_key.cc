// SPDX-License-Identifier: MIT
#include "keys/private_key.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tunnel::keys {
namespace {

struct FreeX509Key {
  void operator()(gnutls_x509_privkey_t key) const { gnutls_x509_privkey_deinit(key); }
};
using X509Key = std::unique_ptr<gnutls_x509_privkey_int, FreeX509Key>;

struct Block {
  std::string_view label;  // "ENCRYPTED PRIVATE KEY"
  std::string_view text;   // from BEGIN to END; empty when it has no end
  std::size_t line = 0;
};

// The first block of PEM that holds a private key: others, such as OpenSSL's EC PARAMETERS, may
// stand before it.
std::optional<Block> find_key(std::string_view pem) {
  static constexpr std::string_view kBegin = "-----BEGIN ";
  static constexpr std::string_view kDashes = "-----";
  for (auto at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin, at + 1)) {
    const auto label_at = at + kBegin.size();
    const auto label_end = pem.find(kDashes, label_at);
    if (label_end == std::string_view::npos) return std::nullopt;
    const auto label = pem.substr(label_at, label_end - label_at);
    if (!label.ends_with("PRIVATE KEY") || label.find('\n') != std::string_view::npos) continue;
    Block block{label, {}, 1};
    block.line += static_cast<std::size_t>(
        std::count(pem.begin(), pem.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    const std::string end_mark = "-----END " + std::string(label) + "-----";
    if (const auto end = pem.find(end_mark, label_end); end != std::string_view::npos) {
      block.text = pem.substr(at, end + end_mark.size() - at);
    }
    return block;
  }
  return std::nullopt;
}

// One key on its way from a file.
class Reading {
 public:
  Reading(const std::string& option, const std::string& path, const KeyPassword& password,
          x509::Problems& problems)
      : option_(option), path_(path), password_(password), problems_(problems) {}

  FoundKey read_pem(const Block& block) {
    if (block.text.empty()) {
      add(place(block) + ": the private key that begins here has no END line",
          "the file was cut off");
      return {};
    }
    if (block.label == "OPENSSH PRIVATE KEY") {
      add(place(block) + ": the private key is in OpenSSH's own form",
          "a copy in a form for TLS is made by `ssh-keygen -p -m PKCS8 -f COPY`");
      return {};
    }
    // GnuTLS could use it only if it was built with TSS2, and Debian's is not.
    if (block.label == "TSS2 PRIVATE KEY") {
      add(place(block) + ": the private key belongs to a TPM",
          "TPM keys can be used through PKCS#11 (tpm2-pkcs11): tls.key = \"pkcs11:...\"");
      return {};
    }
    // OpenSSL's older form has RFC 1421's header inside the block, and a label as if it were open.
    const bool is_encrypted = block.label == "ENCRYPTED PRIVATE KEY" ||
                              block.text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
    return import(place(block), block.text, GNUTLS_X509_FMT_PEM, is_encrypted);
  }

  FoundKey read_der(std::string_view content) {
    // Only an encrypted key needs the password, so one that opens without it is not encrypted.
    if (auto plain = try_import(content, GNUTLS_X509_FMT_DER, nullptr); plain.key) {
      return {std::move(plain.key), false};
    }
    return import(path_, content, GNUTLS_X509_FMT_DER, is_encrypted_der(content));
  }

 private:
  struct Tried {
    PrivateKey key;
    int error = 0;
  };

  [[nodiscard]] std::string place(const Block& block) const {
    return path_ + ", line " + std::to_string(block.line);
  }

  // EncryptedPrivateKeyInfo begins with an AlgorithmIdentifier where all others have a version.
  static bool is_encrypted_der(std::string_view der) {
    std::size_t at = 1;
    if (der.size() < 2 || der[0] != '\x30') return false;
    const auto length = static_cast<unsigned char>(der[at++]);
    if (length >= 0x80) at += length & 0x7f;
    return at < der.size() && der[at] == '\x30';
  }

  // PKCS#8 with a scheme that GnuTLS has not: the right password would not help (scrypt).
  static bool is_encrypted_strangely(std::string_view content, gnutls_x509_crt_fmt_t format) {
    static constexpr std::string_view kLegacy = "Proc-Type: 4,ENCRYPTED";
    if (content.find(kLegacy) != std::string_view::npos) return false;
    std::array<unsigned char, 64> salt{};
    unsigned schema = 0, cipher = 0, iterations = 0, salt_size = salt.size();
    char* oid = nullptr;
    const auto datum = x509::lend(content);
    const int error = gnutls_pkcs8_info(&datum, format, &schema, &cipher, salt.data(), &salt_size,
                                        &iterations, &oid);
    gnutls_free(oid);
    // A salt that is too long for us belongs to a scheme that is known.
    return error < 0 && error != GNUTLS_E_SHORT_MEMORY_BUFFER;
  }

  static Tried try_import(std::string_view content, gnutls_x509_crt_fmt_t format,
                          const char* password) {
    gnutls_x509_privkey_t raw = nullptr;
    if (const int error = gnutls_x509_privkey_init(&raw); error < 0) return {nullptr, error};
    X509Key key(raw);
    const auto datum = x509::lend(content);
    if (const int error = gnutls_x509_privkey_import2(raw, &datum, format, password, 0);
        error < 0) {
      return {nullptr, error};
    }
    gnutls_privkey_t result = nullptr;
    if (const int error = gnutls_privkey_init(&result); error < 0) return {nullptr, error};
    PrivateKey owner(result);
    // The key is the other object's once this has worked, and not before.
    const int error = gnutls_privkey_import_x509(result, raw, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
    if (error < 0) return {nullptr, error};
    (void)key.release();
    return {std::move(owner), 0};
  }

  FoundKey import(const std::string& where, std::string_view content, gnutls_x509_crt_fmt_t format,
                  bool is_encrypted) {
    if (is_encrypted && !password_.is_set()) {
      // One that could not be read is a problem already.
      if (password_.path().empty()) {
        add(where + ": the private key is encrypted, and tls.key_password_file is not set",
            "put its password into a file that only the tunnel can read, and name that in "
            "tls.key_password_file");
      }
      return {nullptr, true};
    }
    auto tried = try_import(content, format, is_encrypted ? password_.text() : nullptr);
    if (tried.key) return {std::move(tried.key), is_encrypted};
    const std::string why = gnutls_strerror(tried.error);
    if (!is_encrypted) {
      add(where + ": the private key cannot be read: " + why, {});
    } else if (is_encrypted_strangely(content, format)) {
      add(where + ": the private key is encrypted in a way that GnuTLS does not know",
          "`openssl pkcs8 -topk8 -v2 aes-256-cbc` makes a copy that it does");
    } else {
      // A wrong password may turn the key into any nonsense: the library's reasons mislead.
      problems_.error(
          password_.option(),
          "the password in " + password_.path() + " does not open the private key in " + path_,
          "the password is the file's first line, without its end");
    }
    return {nullptr, is_encrypted};
  }

  void add(std::string text, std::string hint) {
    problems_.error(option_, std::move(text), std::move(hint));
  }

  const std::string& option_;
  const std::string& path_;
  const KeyPassword& password_;
  x509::Problems& problems_;
};

x509::PublicKey public_half(gnutls_privkey_t key) {
  gnutls_pubkey_t raw = nullptr;
  if (gnutls_pubkey_init(&raw) < 0) return nullptr;
  x509::PublicKey result(raw);
  if (gnutls_pubkey_import_privkey(raw, key, 0, 0) < 0) return nullptr;
  return result;
}

std::string id_of(gnutls_pubkey_t key) {
  std::array<unsigned char, 64> id{};
  std::size_t size = id.size();
  if (gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id.data(), &size) < 0) return {};
  return {reinterpret_cast<const char*>(id.data()), size};
}

}  // namespace

bool has_private_key(std::string_view pem) { return find_key(pem).has_value(); }

FoundKey read_private_key(const std::string& option, const std::string& path,
                          std::string_view content, const KeyPassword& password,
                          x509::Problems& problems) {
  Reading reading(option, path, password, problems);
  if (content.find("-----BEGIN ") == std::string_view::npos && !content.empty()) {
    return reading.read_der(content);
  }
  const auto block = find_key(content);
  if (block) return reading.read_pem(*block);
  problems.error(option, path + ": holds no private key",
                 option == "cert" ? "set tls.key, or put the key into the same file"
                                  : "a PEM file with a block PRIVATE KEY is wanted");
  return {};
}

bool belongs_to(gnutls_privkey_t key, gnutls_x509_crt_t certificate) {
  gnutls_pubkey_t raw = nullptr;
  if (gnutls_pubkey_init(&raw) < 0) return false;
  const x509::PublicKey certified(raw);
  if (gnutls_pubkey_import_x509(raw, certificate, 0) < 0) return false;
  if (const auto own = public_half(key)) {
    const auto id = id_of(own.get());
    return !id.empty() && id == id_of(raw);
  }
  // A token may keep the public half to itself.
  unsigned bits = 0;
  if (gnutls_privkey_get_pk_algorithm(key, nullptr) != gnutls_pubkey_get_pk_algorithm(raw, &bits)) {
    return false;
  }
  gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
  (void)gnutls_pubkey_get_preferred_hash_algorithm(raw, &digest, nullptr);
  const auto sample = x509::lend("Does this key belong to that certificate?");
  x509::Datum signature;
  if (gnutls_privkey_sign_data(key, digest, 0, &sample, signature.get()) < 0) return false;
  const auto algorithm = gnutls_pk_to_sign(
      static_cast<gnutls_pk_algorithm_t>(gnutls_pubkey_get_pk_algorithm(raw, nullptr)), digest);
  return gnutls_pubkey_verify_data2(raw, algorithm, 0, &sample, signature.get()) >= 0;
}

}  // namespace tunnel::keys
