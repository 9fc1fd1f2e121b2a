// SPDX-License-Identifier: MIT
#include "probe/fix.h"

#include <array>

#include "base/text.h"
#include "tls/plaintext_text.h"
#include "x509/x509_text.h"

namespace tunnel::probe {
namespace {

using x509::CertificateFacts;
using x509::Examination;

// "2026-11-26 12:40 CET", where this machine is.
std::string local_time(std::time_t when) {
  std::tm parts{};
  std::array<char, 64> text{};
  if (::localtime_r(&when, &parts) == nullptr) return "unknown";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M %Z", &parts)};
}

std::string listed(const std::vector<std::string>& items, std::string_view last = " and ") {
  return enumerated(items, last);
}

std::string quoted_list(const std::vector<std::string>& items, std::string_view last) {
  std::vector<std::string> quoted;
  for (const std::string& item : items) quoted.push_back('"' + item + '"');
  return listed(quoted, last);
}

const CertificateFacts* own_certificate(const Case& known) {
  const auto& examined = known.evidence.examination;
  return examined && !examined->shown.empty() ? &examined->shown.front() : nullptr;
}

// ---- certificates

std::string missing_at(const Examination& examined, const config::Tls* tls) {
  const std::string issuer = '"' + examined.missing_issuer + '"';
  if (examined.system_has_issuer) {
    return "the missing issuer " + issuer +
           " is in the system's trust store, but not in tls.ca: leave tls.ca out, or add that "
           "certificate to it";
  }
  if (examined.is_self_signed) {
    return "it is its own issuer: if it is the right one, save it with --save-chain and name that "
           "file in tls.ca";
  }
  if (examined.lacks_intermediate) {
    return "the missing issuer is " + issuer +
           ": the server's chain lacks it, if it is an intermediate CA, for the server sent "
           "nothing but its own certificate; have the server send it, or put it in tls.ca" +
           (examined.issuer_url.empty() ? ""
                                        : "; the certificate says it is at " + examined.issuer_url);
  }
  const bool uses_system = tls == nullptr || tls->ca.empty();
  return "the missing issuer is " + issuer + ": " +
         (uses_system ? "the system's trust store" : "tls.ca (" + listed(tls->ca) + ")") +
         " lacks it, and so does the chain that the server sent; put the certificate of that CA in "
         "tls.ca";
}

std::string untrusted(const Case& known) {
  const auto& examined = known.evidence.examination;
  if (examined && !examined->missing_issuer.empty()) return missing_at(*examined, known.tls);
  return "have the server's certificate issued anew by a CA of tls.ca, for a TLS server";
}

std::string wrong_name(const Case& known) {
  const CertificateFacts* own = own_certificate(known);
  if (own == nullptr || own->names.empty()) {
    return "the certificate has no name that counts: have it issued anew with " +
           quoted_list(known.peer.names, " or ") + " as a subject alternative name";
  }
  std::string first = own->names.front();
  for (const std::string_view prefix : {"DNS:", "IP:"}) {
    if (first.starts_with(prefix)) first = first.substr(prefix.size());
  }
  return "the certificate has the names " + listed(own->names) + "; set tls.name = \"" + first +
         "\" if that is the server you mean, or have it issued for " +
         quoted_list(known.peer.names, " or ");
}

std::string wrong_dates(const Case& known, Kind kind) {
  std::string text =
      "the clock here says " + x509::date_text(known.now) + " (" + local_time(known.now) + ")";
  if (const CertificateFacts* own = own_certificate(known)) {
    text += "; the server's certificate is valid from " + x509::date_text(own->not_before) +
            " to " + x509::date_text(own->not_after);
  }
  if (known.evidence.examination && known.evidence.examination->staple_made > 0) {
    text += "; the clock of its CA said " +
            x509::date_text(known.evidence.examination->staple_made) +
            " when the stapled OCSP response was made";
  }
  return text + (kind == Kind::cert_expired
                     ? "; renew the certificate, and see that the server has loaded the new one"
                     : "; set the clock that is wrong, or wait");
}

std::string revocation(const Case& known, Kind kind) {
  if (kind == Kind::cert_revoked) return "the server needs a new certificate, with a new key";
  if (kind == Kind::ocsp_failed) {
    return "repair the server's OCSP stapling, or set tls.ocsp = \"soft\" or \"off\"";
  }
  const CertificateFacts* own = own_certificate(known);
  const std::string issuer = own != nullptr ? " of \"" + own->issuer + "\"" : "";
  return "put a current CRL" + issuer + " in tls.crl (" +
         (known.tls != nullptr ? listed(known.tls->crl) : "") + "), and fetch it before it ends";
}

std::string pin(const Case& known) {
  const CertificateFacts* own = own_certificate(known);
  if (own == nullptr) return "put the server's key in tls.pin";
  return "if the server got a new key on purpose, set tls.pin = \"sha256:" + own->spki + "\"";
}

std::string client_certificate(const Case& known) {
  const bool has_one = known.tls != nullptr && !known.tls->cert.empty();
  std::string text = has_one ? "the server refuses the certificate in tls.cert (" +
                                   known.tls->cert.substr(0, known.tls->cert.find('?')) + ")"
                             : "set tls.cert and tls.key: the server wants a client certificate";
  if (known.evidence.authorities.empty()) {
    return text + "; it does not say of which authorities it takes one";
  }
  return text + "; it takes those of " + quoted_list(known.evidence.authorities, " or ");
}

// ---- before there is a certificate

std::string plaintext(const Case& known) {
  const std::string_view word =
      tls::fitting_starttls(as_bytes(known.evidence.said), known.target.text);
  std::string text;
  if (!known.evidence.said.empty()) {
    const std::string& said = known.evidence.said;
    const std::string line = said.substr(0, said.find_first_of("\r\n"));
    text = "it greets with " + in_quotes(line, 120) + "; ";
  }
  if (!word.empty() && known.service.starttls == config::Starttls::none) {
    return text + "set starttls = \"" + std::string(word) +
           "\", or use the port where the server speaks TLS from the first byte";
  }
  return text + "use the port where the server speaks TLS, or set tls = false if it has none";
}

std::string versions(const Case& known) {
  if (known.accepted_versions.empty()) {
    return "the server takes none of TLS 1.0 to 1.3 from here, one by one: have it take TLS 1.2 or "
           "1.3";
  }
  return "the server takes " + listed(known.accepted_versions) +
         "; change tls.min_version or tls.max_version to fit, or better, update the server";
}

std::string closed(const Case& known) {
  std::vector<std::string> suspects;
  suspects.push_back(known.peer.sni.empty()
                         ? "it wants a server name, and none is sent: set tls.sni"
                         : "it does not know the server name \"" + known.peer.sni +
                               "\": set tls.sni to one that it serves, or to \"\"");
  if (known.tls == nullptr || known.tls->cert.empty()) {
    suspects.emplace_back("it wants a client certificate: set tls.cert and tls.key");
  }
  const std::string advice = tls::port_advice(known.target.text);
  suspects.push_back("it is a plaintext port" +
                     (advice.empty() ? ": set starttls, or use its TLS port" : advice));
  std::string text = "suspect, in this order:";
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    text += (i == 0 ? " (" : "; (") + std::to_string(i + 1) + ") " + suspects[i];
  }
  return text;
}

std::string refused(const Case& known) {
  return "nothing listens at " + known.target.text +
         ", or a firewall refuses it: see that the server runs, and that the port is right";
}

}  // namespace

std::string fix_for(const Failure& failure, const Case& known) {
  switch (failure.kind) {
    case Kind::cert_untrusted:
      return untrusted(known);
    case Kind::cert_name_mismatch:
      return wrong_name(known);
    case Kind::cert_expired:
    case Kind::cert_not_yet_valid:
      return wrong_dates(known, failure.kind);
    case Kind::cert_revoked:
    case Kind::crl_unusable:
    case Kind::ocsp_failed:
      return revocation(known, failure.kind);
    case Kind::pin_mismatch:
      return pin(known);
    case Kind::cert_weak:
      return "have it replaced by a certificate with an RSA key of 2048 bits or more, or P-256, "
             "signed with SHA-256";
    case Kind::cert_key_usage:
      return "have it issued anew with the key usage digitalSignature, or set "
             "tls.allow_key_usage_violation = true";
    case Kind::client_cert_rejected:
      return client_certificate(known);
    case Kind::not_tls:
      return plaintext(known);
    case Kind::tls_version:
      return versions(known);
    case Kind::tls_closed:
      return closed(known);
    case Kind::tls_timeout:
      return "the server accepts connections and then says nothing: see whether it is overloaded, "
             "or speaks something else than TLS there" +
             tls::port_advice(known.target.text);
    case Kind::tls_alert:
    case Kind::tls_failed:
      if (known.evidence.is_certificate_requested && known.tls != nullptr &&
          known.tls->cert.empty()) {
        return client_certificate(known);
      }
      return "see the server's log; tls.ciphers, tls.groups and tls.sni are what it may mind";
    case Kind::connect_refused:
      return refused(known);
    case Kind::connect_timeout:
      return "no answer at all: a firewall drops the packets, the machine is down, or the address "
             "is old";
    case Kind::unreachable:
      return "there is no route to it from here: see `ip route get`, or probe with -4 or -6";
    case Kind::resolve_failed:
      return "see that the name is right, and that the name servers of /etc/resolv.conf or "
             "dns_servers know it";
    case Kind::proxy_refused:
      return "see that the proxy lets this machine reach " + known.target.text +
             ", and that its login in `proxy` is right";
    case Kind::starttls_refused:
      return "see that the server offers STARTTLS on this port and that `starttls` is its "
             "protocol; without it, use its TLS port";
    case Kind::check_failed:
      return "TLS is well, the service behind it is not: see the server's log, and health.check";
    default:
      return "see the server's log";
  }
}

}  // namespace tunnel::probe
