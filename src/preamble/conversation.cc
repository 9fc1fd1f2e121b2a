// SPDX-License-Identifier: MIT
#include "preamble/conversation.h"

namespace tunnel::preamble {

Step Conversation::on_client(Bytes) { return {}; }

Step Conversation::on_client_end() { return {}; }

std::unique_ptr<Conversation> Conversation::take_filter() { return nullptr; }

}  // namespace tunnel::preamble
