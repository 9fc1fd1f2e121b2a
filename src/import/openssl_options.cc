// SPDX-License-Identifier: MIT
#include "import/openssl_options.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace tunnel::import {
namespace {

using Effect = OpensslEffect;

struct NamedEffect {
  std::string_view name;
  Effect effect;
};

constexpr auto kOptions = std::to_array<NamedEffect>({
    {"ALL", Effect::workaround},
    {"ALLOW_CLIENT_RENEGOTIATION", Effect::server},
    {"ALLOW_NO_DHE_KEX", Effect::never},
    {"ALLOW_UNSAFE_LEGACY_RENEGOTIATION", Effect::never},
    {"CIPHER_SERVER_PREFERENCE", Effect::server},
    {"CISCO_ANYCONNECT", Effect::workaround},
    {"CLEANSE_PLAINTEXT", Effect::workaround},
    {"COOKIE_EXCHANGE", Effect::server},
    {"CRYPTOPRO_TLSEXT_BUG", Effect::workaround},
    {"DISABLE_TLSEXT_CA_NAMES", Effect::workaround},
    {"DONT_INSERT_EMPTY_FRAGMENTS", Effect::workaround},
    {"ENABLE_KTLS", Effect::workaround},
    {"ENABLE_KTLS_TX_ZEROCOPY_SENDFILE", Effect::workaround},
    {"ENABLE_MIDDLEBOX_COMPAT", Effect::workaround},
    {"EPHEMERAL_RSA", Effect::server},
    {"IGNORE_UNEXPECTED_EOF", Effect::workaround},
    {"LEGACY_SERVER_CONNECT", Effect::workaround},
    {"MICROSOFT_BIG_SSLV3_BUFFER", Effect::workaround},
    {"MICROSOFT_SESS_ID_BUG", Effect::workaround},
    {"MSIE_SSLV2_RSA_PADDING", Effect::workaround},
    {"NETSCAPE_CA_DN_BUG", Effect::workaround},
    {"NETSCAPE_CHALLENGE_BUG", Effect::workaround},
    {"NETSCAPE_DEMO_CIPHER_CHANGE_BUG", Effect::workaround},
    {"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", Effect::workaround},
    {"NO_ANTI_REPLAY", Effect::server},
    {"NO_COMPRESSION", Effect::always},
    {"NO_DTLS_MASK", Effect::always},
    {"NO_DTLSv1", Effect::always},
    {"NO_DTLSv1_2", Effect::always},
    {"NO_ENCRYPT_THEN_MAC", Effect::never},
    {"NO_EXTENDED_MASTER_SECRET", Effect::never},
    {"NO_QUERY_MTU", Effect::workaround},
    {"NO_RENEGOTIATION", Effect::always},
    {"NO_RX_CERTIFICATE_COMPRESSION", Effect::always},
    {"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", Effect::server},
    {"NO_SSLv2", Effect::always},
    {"NO_SSLv3", Effect::always},
    {"NO_TICKET", Effect::no_tickets},
    {"NO_TLSv1", Effect::no_tls1_0},
    {"NO_TLSv1_1", Effect::no_tls1_1},
    {"NO_TLSv1_2", Effect::no_tls1_2},
    {"NO_TLSv1_3", Effect::no_tls1_3},
    {"NO_TX_CERTIFICATE_COMPRESSION", Effect::always},
    {"PKCS1_CHECK_1", Effect::workaround},
    {"PKCS1_CHECK_2", Effect::workaround},
    {"PREFER_NO_DHE_KEX", Effect::never},
    {"PRIORITIZE_CHACHA", Effect::server},
    {"SAFARI_ECDHE_ECDSA_BUG", Effect::server},
    {"SINGLE_DH_USE", Effect::server},
    {"SINGLE_ECDH_USE", Effect::server},
    {"SSLEAY_080_CLIENT_DH_BUG", Effect::workaround},
    {"SSLREF2_REUSE_CERT_TYPE_BUG", Effect::workaround},
    {"TLS_BLOCK_PADDING_BUG", Effect::workaround},
    {"TLS_D5_BUG", Effect::workaround},
    {"TLSEXT_PADDING", Effect::workaround},
    {"TLS_ROLLBACK_BUG", Effect::never},
});

struct Switch {
  std::string_view name;
  Effect on;
  Effect off;
};

constexpr auto kSwitches = std::to_array<Switch>({
    {"SessionTicket", Effect::always, Effect::no_tickets},
    {"EmptyFragments", Effect::workaround, Effect::workaround},
    {"Bugs", Effect::workaround, Effect::workaround},
    {"Compression", Effect::never, Effect::always},
    {"ServerPreference", Effect::server, Effect::server},
    {"NoResumptionOnRenegotiation", Effect::server, Effect::server},
    {"DHSingle", Effect::server, Effect::server},
    {"ECDHSingle", Effect::server, Effect::server},
    {"UnsafeLegacyRenegotiation", Effect::never, Effect::always},
    {"UnsafeLegacyServerConnect", Effect::workaround, Effect::workaround},
    {"ClientRenegotiation", Effect::server, Effect::server},
    {"EncryptThenMac", Effect::always, Effect::never},
    {"NoRenegotiation", Effect::always, Effect::never},
    {"AllowNoDHEKEX", Effect::never, Effect::always},
    {"PreferNoDHEKEX", Effect::never, Effect::always},
    {"PrioritizeChaCha", Effect::server, Effect::server},
    {"MiddleboxCompat", Effect::workaround, Effect::workaround},
    {"AntiReplay", Effect::server, Effect::server},
    {"ExtendedMasterSecret", Effect::always, Effect::never},
    {"CANames", Effect::workaround, Effect::workaround},
    {"KTLS", Effect::workaround, Effect::workaround},
    {"StrictCertCheck", Effect::workaround, Effect::workaround},
    {"RxCertificateCompression", Effect::never, Effect::always},
    {"TxCertificateCompression", Effect::never, Effect::always},
});

template <class Table>
auto* find_in(const Table& table, std::string_view name) {
  const auto found = std::ranges::find_if(
      table, [name](const auto& entry) { return equal_ignoring_case(entry.name, name); });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

std::optional<OpensslEffect> find_openssl_option(std::string_view name) {
  const auto* option = find_in(kOptions, name);
  return option == nullptr ? std::nullopt : std::optional(option->effect);
}

std::string_view guess_openssl_option(std::string_view name) {
  std::vector<std::string_view> names;
  for (const NamedEffect& option : kOptions) names.push_back(option.name);
  return did_you_mean(name, names);
}

std::optional<OpensslEffect> find_openssl_conf_option(std::string_view name) {
  const bool off = name.starts_with('-');
  if (off || name.starts_with('+')) name.remove_prefix(1);
  const auto* option = find_in(kSwitches, name);
  if (option == nullptr) return std::nullopt;
  return off ? option->off : option->on;
}

}  // namespace tunnel::import
