// SPDX-License-Identifier: MIT
#pragma once

#include "balance/identity.h"
#include "tls/session.h"

namespace tunnel {

// Notes how the server of an established session has shown who it is, if it is time for that: then
// it reads a certificate. Any thread.
void note_identity(balance::ShownIdentity& shown, const tls::Session& session);

}  // namespace tunnel
