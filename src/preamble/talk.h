// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "preamble/conversation.h"

namespace tunnel::preamble {

// No conversation of ours needs more; whoever sends more is broken or hostile.
inline constexpr std::size_t kMaxLine = 8 * 1024;
inline constexpr std::size_t kMaxConversation = 64 * 1024;

// What a conversation is about: goes into every sentence it says.
struct Topic {
  std::string who;  // the other side: "dc1.example.com:389", "proxy proxy.example.com:3128"
  Kind kind = Kind::starttls_refused;
  bool is_local = false;  // no failure of this conversation blames the target
};

// As whom a check starts a session with a database; the user empty: as nobody in particular.
struct CheckLogin {
  std::string user;
  std::string database;
};

[[nodiscard]] Step send(std::string bytes);
[[nodiscard]] Step done();
// `what` follows the name of the other side: "refused STARTTLS: 454 no".
[[nodiscard]] Step failed(const Topic& topic, std::string_view what);
// The failed step for a FIN or RST in the middle: "closed the connection while ...".
[[nodiscard]] Step ended(const Topic& topic, End end, const Conversation& conversation);
// The server has agreed to TLS. Nothing may stand behind that: those bytes were not protected by
// TLS, and taking them for bytes that were is the hole of CVE-2011-0411, CVE-2021-33515 and their
// kind.
[[nodiscard]] Step go_ahead(const Topic& topic, Bytes behind, std::string greeting = {});
// Adds what `more` says to `so_far`. Status, surplus and failure become those of `more`: a surplus
// of `so_far` has to be taken out before.
void append(Step& so_far, Step&& more);

// What bytes that make no sense here look like: ", which looks like TLS: ..." or "".
[[nodiscard]] std::string looks_like(std::string_view bytes);

}  // namespace tunnel::preamble
