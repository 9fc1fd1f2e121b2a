// SPDX-License-Identifier: MIT
// The option table: keys of [NAME.smtp_login].
#include <array>

#include "config/row.h"

namespace tunnel::config {

template <>
struct Words<SmtpLogin::Method> {
  static constexpr auto kWords = std::to_array<Word>({
      {"plain", static_cast<int>(SmtpLogin::Method::plain)},
      {"login", static_cast<int>(SmtpLogin::Method::login)},
  });
};

namespace {

constexpr auto kSmtpLoginRows = std::to_array<Row<SmtpLogin>>({
    row<Type::text, &SmtpLogin::user>(
        {.key = "user",
         .stunnel = "protocolUsername",
         .help = "The name of the account. Both it and the password are needed."}),
    row<Type::text, &SmtpLogin::password>(
        {.key = "password",
         .stunnel = "protocolPassword",
         .help = "The password of the account. Anyone who can read this file can use it."}),
    row<Type::choice, &SmtpLogin::method>(
        {.key = "method",
         .stunnel = "protocolAuthentication",
         .standard = "\"plain\"",
         .help = "How the login is made: AUTH PLAIN, or AUTH LOGIN for servers that know nothing "
                 "better."}),
});

}  // namespace

template <>
std::span<const Row<SmtpLogin>> rows<SmtpLogin>() {
  return kSmtpLoginRows;
}

}  // namespace tunnel::config
