// SPDX-License-Identifier: MIT
#include "tunnel/identity_note.h"

#include <ctime>
#include <memory>
#include <utility>

#include "x509/examination.h"
#include "x509/trusted_path.h"

namespace tunnel {

void note_identity(balance::ShownIdentity& shown, const tls::Session& session) {
  if (!shown.is_due(std::time(nullptr))) return;
  const tls::Negotiated negotiated = session.negotiated();
  balance::Identity identity{.tls_version = negotiated.version,
                             .ocsp_until = negotiated.ocsp_until};
  if (auto certificate = session.certificate()) {
    identity.subject = std::move(certificate->subject);
    identity.issuer = std::move(certificate->issuer);
    identity.pin = "sha256:" + certificate->spki;
    identity.not_after = certificate->not_after == -1 ? 0 : certificate->not_after;
  }
  if (const auto& path = session.trusted_path()) {
    identity.path = path->subjects;
    identity.path_until = path->until;
  }
  shown.show(std::make_shared<const balance::Identity>(std::move(identity)));
}

}  // namespace tunnel
