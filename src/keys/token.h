// SPDX-License-Identifier: MIT
// Keys and certificates in PKCS#11 tokens, named by URI (RFC 7512).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "keys/handles.h"
#include "keys/key_password.h"
#include "keys/wrong_pins.h"
#include "x509/handles.h"
#include "x509/problem.h"

namespace tunnel::keys {

[[nodiscard]] bool is_token_uri(std::string_view text);

// For people: without the query and the attributes that may hold a PIN.
[[nodiscard]] std::string uri_for_people(std::string_view uri);

// The file that holds the PIN (pin-source); "" when there is none.
[[nodiscard]] std::string pin_source_of(std::string_view uri);

// Whether the PIN itself stands in it (pin-value).
[[nodiscard]] bool holds_pin(std::string_view uri);

// The URI of the key that belongs to the certificate of this URI: the same without "type=cert".
[[nodiscard]] std::string key_uri_of(std::string_view certificate_uri);

// Both log in with the PIN of `password`, at most once, and not at all when it is among the wrong
// ones; the URI's pin-source is passed over. `password` must outlive the key. Empty when there is a
// problem.
[[nodiscard]] PrivateKey token_key(const std::string& option, const std::string& uri,
                                   const KeyPassword& password, WrongPins& wrong_pins,
                                   x509::Problems& problems);
// The certificate, and its issuers as far as the token holds them.
[[nodiscard]] std::vector<x509::Certificate> token_certificates(const std::string& option,
                                                                const std::string& uri,
                                                                const KeyPassword& password,
                                                                WrongPins& wrong_pins,
                                                                x509::Problems& problems);

}  // namespace tunnel::keys
