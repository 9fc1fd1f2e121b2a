// SPDX-License-Identifier: MIT
#include "x509/x509_text.h"

#include <arpa/inet.h>

#include <array>

#include "base/encoding.h"
#include "base/text.h"

namespace tunnel::x509 {
namespace {

// A certificate may have hundreds of names, and a URI may be long: a sentence must stay one.
constexpr std::size_t kMaxNamesShown = 6;
constexpr std::size_t kLongestShown = 500;
constexpr std::size_t kUsualName = 256;

void add_quoted(std::string& list, const std::string& name) {
  if (!list.empty()) list += ", ";
  list += '"' + name + '"';
}

}  // namespace

std::string address_text(std::string_view raw) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = raw.size() == 4 ? AF_INET : AF_INET6;
  if (raw.size() != 4 && raw.size() != 16) return hex(raw);
  return ::inet_ntop(family, raw.data(), text.data(), text.size()) != nullptr ? text.data() : "";
}

std::string subject_of(gnutls_x509_crt_t crt) {
  Datum dn;
  if (gnutls_x509_crt_get_dn3(crt, dn.get(), 0) < 0) return {};
  return printable(dn.view());
}

std::string issuer_of(gnutls_x509_crt_t crt) {
  Datum dn;
  if (gnutls_x509_crt_get_issuer_dn3(crt, dn.get(), 0) < 0) return {};
  return printable(dn.view());
}

std::string common_name_of(gnutls_x509_crt_t crt) {
  std::array<char, 256> name{};
  std::size_t size = name.size();
  if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name.data(), &size) <
      0) {
    return {};
  }
  return {name.data(), size};
}

std::vector<AlternativeName> alternative_names(gnutls_x509_crt_t crt) {
  std::vector<AlternativeName> names;
  std::string value;
  for (unsigned i = 0;; ++i) {
    value.resize(kUsualName);
    std::size_t size = value.size();
    int type = gnutls_x509_crt_get_subject_alt_name(crt, i, value.data(), &size, nullptr);
    if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) {
      value.resize(++size);
      type = gnutls_x509_crt_get_subject_alt_name(crt, i, value.data(), &size, nullptr);
    }
    if (type < 0) return names;  // past the end
    names.push_back({static_cast<unsigned>(type), value.substr(0, size)});
  }
}

std::string names_of(gnutls_x509_crt_t crt) {
  std::string list;
  std::size_t shown = 0;
  for (const auto& [type, value] : alternative_names(crt)) {
    const bool is_uri = type == GNUTLS_SAN_URI;
    if (!is_uri && type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_IPADDRESS &&
        type != GNUTLS_SAN_RFC822NAME) {
      continue;
    }
    if (++shown > kMaxNamesShown) return list + ", ...";
    add_quoted(list, type == GNUTLS_SAN_IPADDRESS
                         ? address_text(value)
                         : (is_uri ? "uri:" : "") + printable(value, kLongestShown));
  }
  if (list.empty()) {
    if (const auto name = common_name_of(crt); !name.empty()) add_quoted(list, printable(name));
  }
  return list;
}

std::string spki_sha256(gnutls_x509_crt_t crt) {
  std::array<unsigned char, 32> id{};
  std::size_t size = id.size();
  if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id.data(), &size) < 0) return {};
  return {reinterpret_cast<const char*>(id.data()), size};
}

std::string der_of(gnutls_x509_crt_t crt) {
  Datum der;
  if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, der.get()) < 0) return {};
  return std::string(der.view());
}

std::string date_text(std::time_t when) {
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&when, &parts) == nullptr) return "an unknown date";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

std::string timestamp(std::time_t when) {
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&when, &parts) == nullptr) return {};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string span_text(std::time_t seconds) {
  struct Unit {
    std::time_t seconds;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
  for (const auto& unit : kUnits) {
    const auto count = seconds / unit.seconds;
    if (count > 0) return std::to_string(count) + ' ' + unit.name + (count == 1 ? "" : "s");
  }
  return "less than a second";
}

}  // namespace tunnel::x509
