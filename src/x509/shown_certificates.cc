// SPDX-License-Identifier: MIT
#include "x509/shown_certificates.h"

#include <string>
#include <vector>

#include "x509/certificate_text.h"
#include "x509/key_cost.h"

namespace tunnel::x509 {
namespace {

// Takes what has its length before it, in so many bytes; as much as there is of it.
std::string_view take(std::string_view& bytes, std::size_t digits) {
  std::size_t length = 0;
  if (bytes.size() < digits) {
    bytes = {};
    return {};
  }
  for (std::size_t i = 0; i < digits; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  const auto taken = bytes.substr(digits, length);
  bytes.remove_prefix(digits + taken.size());
  return taken;
}

}  // namespace

// Follows lengths and nothing else. A length that is too long takes what there is, so the walk ends
// in any case, and GnuTLS refuses the message.
std::optional<Verdict> refuse_at_sight(std::string_view message, CertificateForm form,
                                       std::string_view target) {
  const bool is_tls13 = form == CertificateForm::tls13;
  if (is_tls13) (void)take(message, 1);  // the context, empty in a handshake
  auto list = take(message, 3);
  std::vector<std::string_view> certificates;
  std::size_t count = 0;
  while (!list.empty()) {
    const auto certificate = take(list, 3);
    if (is_tls13) (void)take(list, 2);  // its extensions
    // Counted to the end for the sentence; kept no longer than they will be looked at.
    if (++count <= kMaxShown) certificates.push_back(certificate);
  }
  if (count > kMaxShown) {
    return Verdict{.failure = too_many_certificates(target, count, kMaxShown),
                   .alert = GNUTLS_A_BAD_CERTIFICATE};
  }
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const auto what = costly_key(certificates[i]);
    if (what.empty()) continue;
    const auto name = i == 0 ? certificate_of(target)
                             : "certificate number " + std::to_string(i + 1) + " that " +
                                   std::string(target) + " showed";
    return Verdict{.failure = costly(name, what), .alert = GNUTLS_A_UNSUPPORTED_CERTIFICATE};
  }
  return std::nullopt;
}

}  // namespace tunnel::x509
