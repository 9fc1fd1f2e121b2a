// SPDX-License-Identifier: MIT
// What only the whole configuration can tell: keys that are missing, contradict one another, or
// clash between services. Runs on the model and reports through the Document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"

namespace tunnel::config {

void cross_check(Document& document);

// cross_checks_tls.cc: one TLS table, at `prefix` ("tls" or "health.tls") of a service.
void cross_check_tls(Document& document, const Service& service, const Tls& tls,
                     const std::string& prefix);
// The same: what is wrong with a name that a certificate is to carry, and what to write instead;
// none if it could be one.
struct NameMistake {
  std::string text, hint;
};
[[nodiscard]] std::optional<NameMistake> mistake_in_name(std::string_view name);
// cross_checks_source.cc: where the plaintext of a service comes from, and its socket options.
void cross_check_source(Document& document, const Service& service);
// cross_checks_first_word.cc: what is done before a client is there, or has said anything.
void cross_check_first_word(Document& document, const Service& service);
// cross_checks_loops.cc: services that connect to themselves.
void cross_check_loops(Document& document);
// cross_checks_accept.cc: what is listened at, over all services.
void cross_check_accepts(Document& document);
// One address of it: whether it can be reached from elsewhere, which must be wanted.
void check_remote(Document& document, const Service& service, const Accept& accept);
void check_status(Document& document, const Accept& accept);

}  // namespace tunnel::config
