// SPDX-License-Identifier: MIT
#include "x509/expected_name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "x509/x509_text.h"

namespace tunnel::x509 {
namespace {

constexpr std::string_view kEmail = "email:", kUri = "uri:";

// The raw bytes of an IP address, 4 or 16; empty for anything else. A zone is nobody's but ours.
std::string address_of(std::string_view name) {
  const std::string text(name);
  std::array<char, 16> raw{};
  if (::inet_pton(AF_INET, text.c_str(), raw.data()) == 1) return {raw.data(), 4};
  if (::inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), raw.data()) == 1) {
    return {raw.data(), 16};
  }
  return {};
}

bool has_alternative(gnutls_x509_crt_t certificate, unsigned type, std::string_view value) {
  return std::ranges::any_of(alternative_names(certificate),
                             [type, value](const AlternativeName& alternative) {
                               return alternative.type == type && alternative.value == value;
                             });
}

// "*" and ".example.com", against "dc1" and ".example.com".
bool is_whole_label(std::string_view pattern, std::string_view host) {
  const auto dot = host.find('.');
  if (!pattern.starts_with("*.") || dot == std::string_view::npos || dot == 0) return false;
  return equal_ignoring_case(pattern.substr(1), host.substr(dot));
}

// GnuTLS has found a wildcard that fits; its wildcards may be a part of a label ("*oo").
bool fits_whole_label(gnutls_x509_crt_t certificate, const std::string& host) {
  Datum mapped;
  const bool is_mapped =
      gnutls_idna_map(host.data(), static_cast<unsigned>(host.size()), mapped.get(), 0) == 0;
  // Certificates have the ASCII form of an international name (RFC 5280 section 7.2).
  const std::string ascii = is_mapped ? std::string(mapped.view()) : host;
  // The common name counts only where there is nothing better (RFC 6125 section 6.4.4).
  if (is_whole_label(common_name_of(certificate), ascii) &&
      alternative_names(certificate).empty()) {
    return true;
  }
  return std::ranges::any_of(
      alternative_names(certificate), [&ascii](const AlternativeName& alternative) {
        return alternative.type == GNUTLS_SAN_DNSNAME && is_whole_label(alternative.value, ascii);
      });
}

// GnuTLS does not say whether it was a wildcard that fitted. So it is asked without them first, and
// what fits only with them must fit more strictly. A name that gets here is not an address,
// whatever GnuTLS would make of it.
bool bears_host(gnutls_x509_crt_t certificate, const std::string& host, bool allows_wildcards) {
  constexpr unsigned kFlags = GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES;
  if (gnutls_x509_crt_check_hostname2(certificate, host.c_str(),
                                      kFlags | GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS) != 0) {
    return true;
  }
  return allows_wildcards &&
         gnutls_x509_crt_check_hostname2(certificate, host.c_str(), kFlags) != 0 &&
         fits_whole_label(certificate, host);
}

}  // namespace

bool bears_name(gnutls_x509_crt_t certificate, std::string_view name, unsigned verify_flags) {
  if (name.find('\0') != std::string_view::npos) return false;  // GnuTLS would see half of it
  if (name.starts_with(kEmail)) {
    return gnutls_x509_crt_check_email(certificate, std::string(name.substr(kEmail.size())).c_str(),
                                       0) != 0;
  }
  if (name.starts_with(kUri)) {
    return has_alternative(certificate, GNUTLS_SAN_URI, name.substr(kUri.size()));
  }
  if (const auto address = address_of(name); !address.empty()) {
    return gnutls_x509_crt_check_ip(certificate,
                                    reinterpret_cast<const unsigned char*>(address.data()),
                                    static_cast<unsigned>(address.size()), 0) != 0;
  }
  // A trailing dot marks a DNS name as complete; certificates never carry it.
  if (name.ends_with('.')) name.remove_suffix(1);
  return bears_host(certificate, std::string(name),
                    (verify_flags & GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS) == 0);
}

bool has_address_as_text(gnutls_x509_crt_t certificate, std::string_view name) {
  const auto address = address_of(name);
  if (address.empty()) return false;
  if (address_of(common_name_of(certificate)) == address) return true;
  return std::ranges::any_of(
      alternative_names(certificate), [&address](const AlternativeName& alternative) {
        return alternative.type == GNUTLS_SAN_DNSNAME && address_of(alternative.value) == address;
      });
}

}  // namespace tunnel::x509
