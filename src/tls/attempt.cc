// SPDX-License-Identifier: MIT
#include "tls/attempt.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace tunnel::tls {

std::optional<Attempt> make_attempt(Attempt::Scope scope, std::string priority_string,
                                    std::string_view key, x509::Problems& problems) {
  Attempt attempt{scope, nullptr, std::move(priority_string)};
  gnutls_priority_t priority = nullptr;
  const char* stopped_at = nullptr;
  const int error = gnutls_priority_init(&priority, attempt.text.c_str(), &stopped_at);
  if (error < 0) {
    std::string text = "GnuTLS does not accept the priority string";
    if (stopped_at != nullptr && *stopped_at != '\0') {
      const auto position = static_cast<std::size_t>(stopped_at - attempt.text.c_str());
      text += " from character " + std::to_string(position + 1) + " on: \"" +
              printable(stopped_at, 60) + "\"";
    } else {
      text += std::string(": ") + gnutls_strerror(error);
    }
    problems.error(std::string(key), std::move(text),
                   "`gnutls-cli --list --priority STRING` shows what a string means");
    return std::nullopt;
  }
  attempt.priority.reset(priority);
  return attempt;
}

// GnuTLS takes these from the priorities of a session when it verifies that session's peer itself.
// Here it verifies a chain against a list, and knows of no session. So what stands in the string is
// looked for as text, as GnuTLS has no function that would tell.
unsigned verify_flags_of(std::string_view priority) {
  struct Profile {
    std::string_view token;
    gnutls_certificate_verification_profiles_t profile;
  };
  static constexpr Profile kProfiles[] = {
      {"%PROFILE_VERY_WEAK", GNUTLS_PROFILE_VERY_WEAK},
      {"%PROFILE_LOW", GNUTLS_PROFILE_LOW},
      {"%PROFILE_LEGACY", GNUTLS_PROFILE_LEGACY},
      {"%PROFILE_MEDIUM", GNUTLS_PROFILE_MEDIUM},
      {"%PROFILE_HIGH", GNUTLS_PROFILE_HIGH},
      {"%PROFILE_ULTRA", GNUTLS_PROFILE_ULTRA},
      {"%PROFILE_FUTURE", GNUTLS_PROFILE_FUTURE},
      {"SECURE192", GNUTLS_PROFILE_HIGH},
      {"SECURE256", GNUTLS_PROFILE_HIGH},
  };
  // 112 bits, the least that min_strength asks for: without a profile RSA keys of 1024 bits would
  // pass.
  auto profile = GNUTLS_PROFILE_MEDIUM;
  unsigned flags = 0;
  while (!priority.empty()) {
    const auto end = std::min(priority.find(':'), priority.size());
    const std::string_view token = trimmed(priority.substr(0, end));
    priority.remove_prefix(std::min(end + 1, priority.size()));
    // Of several profiles GnuTLS takes the last.
    for (const auto& entry : kProfiles) {
      if (entry.token == token) profile = entry.profile;
    }
    if (token == "%VERIFY_ALLOW_SIGN_WITH_SHA1") flags |= GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1;
    if (token == "%VERIFY_ALLOW_SIGN_RSA_MD5") flags |= GNUTLS_VERIFY_ALLOW_SIGN_RSA_MD5;
    if (token == "%VERIFY_ALLOW_BROKEN") flags |= GNUTLS_VERIFY_ALLOW_BROKEN;
  }
  return flags | GNUTLS_PROFILE_TO_VFLAGS(profile);
}

}  // namespace tunnel::tls
