// SPDX-License-Identifier: MIT
#include "x509/pin.h"

#include "base/text.h"
#include "x509/handles.h"

namespace tunnel::x509 {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kDigestSize = 32;

}  // namespace

Result<std::string> parse_pin(std::string_view text) {
  const auto wrong = [text] {
    return failed(ErrorCode::invalid,
                  "\"" + printable(text) +
                      "\" is not a pin: \"sha256:\" and 64 hexadecimal digits or "
                      "44 characters of base64 are expected");
  };
  if (!text.starts_with(kPrefix)) return wrong();
  const auto digest = lend(text.substr(kPrefix.size()));
  Datum bytes;
  // The length tells them apart: in base64, 32 bytes have 44 characters.
  const int error = digest.size == 2 * kDigestSize ? gnutls_hex_decode2(&digest, bytes.get())
                                                   : gnutls_base64_decode2(&digest, bytes.get());
  if (error < 0 || bytes.view().size() != kDigestSize) return wrong();
  return std::string(bytes.view());
}

}  // namespace tunnel::x509
