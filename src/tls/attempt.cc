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

namespace {

// How strong certificates have to be, by the words of a priority string that it has seen so far.
class Profile {
 public:
  void see(std::string_view word) {
    struct Named {
      std::string_view name;
      gnutls_certificate_verification_profiles_t profile;
    };
    static constexpr Named kOptions[] = {
        {"%PROFILE_VERY_WEAK", GNUTLS_PROFILE_VERY_WEAK},
        {"%PROFILE_LOW", GNUTLS_PROFILE_LOW},
        {"%PROFILE_LEGACY", GNUTLS_PROFILE_LEGACY},
        {"%PROFILE_MEDIUM", GNUTLS_PROFILE_MEDIUM},
        {"%PROFILE_HIGH", GNUTLS_PROFILE_HIGH},
        {"%PROFILE_ULTRA", GNUTLS_PROFILE_ULTRA},
        {"%PROFILE_FUTURE", GNUTLS_PROFILE_FUTURE},
        {"%PROFILE_SUITEB128", GNUTLS_PROFILE_SUITEB128},
        {"%PROFILE_SUITEB192", GNUTLS_PROFILE_SUITEB192},
    };
    // 112 bits, the least that min_strength asks for, where GnuTLS has less: RSA keys of 1024 bits
    // would pass.
    static constexpr Named kKeywords[] = {
        {"NORMAL", GNUTLS_PROFILE_MEDIUM},       {"PFS", GNUTLS_PROFILE_MEDIUM},
        {"PERFORMANCE", GNUTLS_PROFILE_MEDIUM},  {"SECURE", GNUTLS_PROFILE_MEDIUM},
        {"SECURE128", GNUTLS_PROFILE_MEDIUM},    {"SECURE192", GNUTLS_PROFILE_HIGH},
        {"SECURE256", GNUTLS_PROFILE_HIGH},      {"SUITEB128", GNUTLS_PROFILE_SUITEB128},
        {"SUITEB192", GNUTLS_PROFILE_SUITEB192},
    };
    for (const Named& option : kOptions) {
      if (option.name == word) profile_ = option.profile;
    }
    if (word.starts_with('+')) word.remove_prefix(1);
    for (const Named& keyword : kKeywords) {
      // Suites that are added lower what is asked of certificates, and never raise it.
      if (equal_ignoring_case(keyword.name, word)) {
        profile_ = std::min(profile_.value_or(keyword.profile), keyword.profile);
      }
    }
  }

  [[nodiscard]] unsigned flags() const {
    return GNUTLS_PROFILE_TO_VFLAGS(profile_.value_or(GNUTLS_PROFILE_MEDIUM));
  }

 private:
  std::optional<gnutls_certificate_verification_profiles_t> profile_;
};

unsigned flag_of(std::string_view word) {
  if (word == "%VERIFY_ALLOW_SIGN_WITH_SHA1") return GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1;
  if (word == "%VERIFY_ALLOW_SIGN_RSA_MD5") return GNUTLS_VERIFY_ALLOW_SIGN_RSA_MD5;
  if (word == "%VERIFY_ALLOW_BROKEN") return GNUTLS_VERIFY_ALLOW_BROKEN;
  if (word == "%DISABLE_WILDCARDS") return GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS;
  return 0;
}

}  // namespace

// GnuTLS takes these from the priorities of a session when it verifies that session's peer itself.
// Here it verifies a chain against a list, and knows of no session. So what stands in the string is
// looked for as text, as GnuTLS has no function that would tell.
unsigned verify_flags_of(std::string_view priority) {
  Profile profile;
  unsigned flags = 0;
  while (!priority.empty()) {
    const auto end = std::min(priority.find(':'), priority.size());
    const std::string_view word = trimmed(priority.substr(0, end));
    priority.remove_prefix(std::min(end + 1, priority.size()));
    profile.see(word);
    flags |= flag_of(word);
  }
  return flags | profile.flags();
}

}  // namespace tunnel::tls
