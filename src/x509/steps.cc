// SPDX-License-Identifier: MIT
#include "x509/steps.h"

#include <gnutls/crypto.h>

#include "base/encoding.h"
#include "x509/expected_name.h"
#include "x509/strength.h"

namespace tunnel::x509 {
namespace {

Verdict weak_one(const Judgement& judgement, gnutls_x509_crt_t crt, const std::string& what) {
  return {weak(judgement.name(crt), what, least_level(judgement.policy.flags)),
          GNUTLS_A_INSUFFICIENT_SECURITY};
}

Verdict untrusted(const Judgement& judgement) {
  const auto& target = judgement.peer.target;
  const auto top = judgement.chain.path_of_names(judgement.anchors()).back();
  if (top == judgement.chain.leaf() && is_self_issued(top)) {
    return {self_signed(target, subject_of(top), judgement.policy.anchors->name(),
                        base64(spki_sha256(top))),
            GNUTLS_A_UNKNOWN_CA};
  }
  return {unknown_issuer(target, issuer_of(top), judgement.policy.anchors->name(),
                         judgement.chain.size()),
          GNUTLS_A_UNKNOWN_CA};
}

}  // namespace

// ---- dates and strength, certificate by certificate

// A date that cannot be read is -1, and passes. Those of a chain GnuTLS has judged by then; those
// of a certificate that is only pinned are judged here alone.
Reason outside_its_dates(const Judgement& judgement, gnutls_x509_crt_t crt) {
  const auto begin = gnutls_x509_crt_get_activation_time(crt);
  const auto end = gnutls_x509_crt_get_expiration_time(crt);
  if (end != -1 && end < judgement.now) {
    return Verdict{expired(judgement.name(crt), end, judgement.now), GNUTLS_A_CERTIFICATE_EXPIRED};
  }
  if (begin != -1 && begin > judgement.now) {
    return Verdict{not_yet_valid(judgement.name(crt), begin, judgement.now),
                   GNUTLS_A_BAD_CERTIFICATE};
  }
  return std::nullopt;
}

Reason too_weak(const Judgement& judgement, gnutls_x509_crt_t crt) {
  const auto level = least_level(judgement.policy.flags);
  unsigned bits = 0;
  const int key = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
  const auto algorithm = static_cast<gnutls_pk_algorithm_t>(key);
  if (key >= 0 && gnutls_pk_bits_to_sec_param(algorithm, bits) < level) {
    return weak_one(
        judgement, crt,
        "has a " + std::to_string(bits) + "-bit " + gnutls_pk_get_name(algorithm) + " key");
  }
  const int signature = gnutls_x509_crt_get_signature_algorithm(crt);
  const auto sign = static_cast<gnutls_sign_algorithm_t>(signature);
  // What signed a root of trust does not matter: nobody checks it.
  if (signature < 0 || is_self_issued(crt)) return std::nullopt;
  const auto digest = gnutls_sign_get_hash_algorithm(sign);
  const auto strength = gnutls_hash_get_len(digest) * 4U;  // against collisions
  if (gnutls_sign_is_secure2(sign, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) == 0 ||
      strength < gnutls_sec_param_to_symmetric_bits(level)) {
    return weak_one(judgement, crt, std::string("is signed with ") + gnutls_sign_get_name(sign));
  }
  return std::nullopt;
}

// ---- the chain

// Where GnuTLS has stopped, and then every certificate up to where the names lead: a sentence is
// about the first with something to say.
std::vector<gnutls_x509_crt_t> suspects(const Judgement& judgement) {
  std::vector<gnutls_x509_crt_t> list;
  if (const auto step = judgement.path.failed_step()) {
    for (const auto crt : {step->certificate, step->issuer}) {
      if (crt != nullptr) list.push_back(crt);
    }
  }
  for (const auto crt : judgement.chain.path_of_names(judgement.anchors())) list.push_back(crt);
  return list;
}

Verdict explain(const Judgement& judgement, unsigned status) {
  const auto& target = judgement.peer.target;
  if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0) {
    for (const auto crt : suspects(judgement)) {
      if (auto reason = too_weak(judgement, crt)) return *std::move(reason);
    }
    return {weak_somewhere(target), GNUTLS_A_INSUFFICIENT_SECURITY};
  }
  if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) return untrusted(judgement);
  if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) {
    for (const auto crt : suspects(judgement)) {
      if (auto reason = outside_its_dates(judgement, crt)) return *std::move(reason);
    }
  }
  if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0) {
    return {wrong_purpose(target), GNUTLS_A_UNSUPPORTED_CERTIFICATE};
  }
  const char* why = "GnuTLS calls it invalid";
  if ((status & GNUTLS_CERT_SIGNATURE_FAILURE) != 0) {
    why =
        "a signature in its chain is wrong: a CA of the same name but with another key may be "
        "in use";
  } else if ((status & GNUTLS_CERT_SIGNER_NOT_CA) != 0) {
    why = "it was issued by a certificate that is not a CA's";
  } else if ((status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE) != 0) {
    why =
        "it was issued by a CA that may not issue it: name constraints, path length or key usage "
        "forbid it";
  } else if ((status & GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS) != 0) {
    why = "it has a critical extension that GnuTLS does not know";
  } else if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) {
    why = "a certificate in its chain is outside its dates";
  }
  return {bad_chain(target, why), GNUTLS_A_BAD_CERTIFICATE};
}

Reason chain_fails(Judgement& judgement) {
  const int error =
      judgement.path.verify(judgement.chain, judgement.anchors(), judgement.policy.flags);
  if (error < 0) {
    return Verdict{bad_chain(judgement.peer.target, gnutls_strerror(error)),
                   GNUTLS_A_BAD_CERTIFICATE};
  }
  const auto status = judgement.path.status();
  if (status != 0) return explain(judgement, status);
  return std::nullopt;
}

// ---- name and pin

Reason name_fails(const Judgement& judgement) {
  const auto leaf = judgement.chain.leaf();
  const auto& names = judgement.peer.names;
  for (const auto& name : names) {
    if (bears_name(leaf, name, judgement.policy.flags)) return std::nullopt;
  }
  const auto& target = judgement.peer.target;
  for (const auto& name : names) {
    if (has_address_as_text(leaf, name)) {
      return Verdict{address_as_text(target, name), GNUTLS_A_BAD_CERTIFICATE};
    }
  }
  return Verdict{wrong_name(target, names_of(leaf), names), GNUTLS_A_BAD_CERTIFICATE};
}

Reason pin_fails(const Judgement& judgement) {
  const auto actual = spki_sha256(judgement.chain.leaf());
  for (const auto& pin : judgement.policy.pins) {
    // Empty when GnuTLS could not compute it: that fits nothing.
    if (!actual.empty() && pin == actual) return std::nullopt;
  }
  const auto& peers = judgement.policy.peers;
  const auto leaf = judgement.chain.leaf();
  if (peers.empty()) {
    return Verdict{wrong_pin(judgement.peer.target, base64(actual)), GNUTLS_A_BAD_CERTIFICATE};
  }
  if (peers.accept(leaf)) return std::nullopt;
  return Verdict{
      wrong_peer(judgement.peer.target, subject_of(leaf), base64(actual), peers.instead_of(leaf)),
      GNUTLS_A_BAD_CERTIFICATE};
}

}  // namespace tunnel::x509
