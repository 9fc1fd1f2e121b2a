// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace tunnel::x509 {

// A SHA-256 hash: names what is too long to be kept or compared.
using Fingerprint = std::array<std::byte, 32>;

// "sha256:" and the hash of a certificate in hexadecimal; "" when the library fails.
[[nodiscard]] std::string sha256_text(std::string_view der);

struct FingerprintHash {
  std::size_t operator()(const Fingerprint& print) const {
    std::size_t part = 0;
    std::memcpy(&part, print.data(), sizeof part);
    return part;
  }
};

// Makes one of parts, each with its length before it: no two sequences of calls hash the same text.
class Fingerprinter {
 public:
  Fingerprinter() = default;
  ~Fingerprinter();  // wipes the text: it may hold a secret
  Fingerprinter(const Fingerprinter&) = delete;
  Fingerprinter& operator=(const Fingerprinter&) = delete;

  Fingerprinter& add(std::string_view part);
  Fingerprinter& add_count(std::size_t parts);  // how many belong together from here on
  // Nothing when the library fails: then nothing can be remembered under it.
  [[nodiscard]] std::optional<Fingerprint> finish() const;

 private:
  std::string text_;
};

}  // namespace tunnel::x509
