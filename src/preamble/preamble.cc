// SPDX-License-Identifier: MIT
#include "preamble/preamble.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "preamble/checks.h"
#include "preamble/proxies.h"
#include "preamble/sequence.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

using config::Starttls;

CheckLogin check_login(const Route& route) {
  const config::Health& health = route.service.health;
  return {.user = health.user, .database = health.database};
}

std::unique_ptr<Conversation> make_starttls(const Route& route) {
  Topic topic{.who = route.target, .kind = Kind::starttls_refused};
  const std::string& helo = route.service.helo;
  switch (route.service.starttls) {
    case Starttls::none:
      return nullptr;
    case Starttls::ldap:
      return ldap_starttls(std::move(topic));
    case Starttls::smtp:
      return smtp_starttls(std::move(topic), helo);
    case Starttls::lmtp:
      return lmtp_starttls(std::move(topic), helo);
    case Starttls::imap:
      return imap_starttls(std::move(topic));
    case Starttls::pop3:
      return pop3_starttls(std::move(topic));
    case Starttls::nntp:
      return nntp_starttls(std::move(topic));
    case Starttls::pgsql:
      return pgsql_starttls(std::move(topic));
    case Starttls::mysql:
      return mysql_starttls(std::move(topic), route.purpose, check_login(route));
    case Starttls::ftp:
      return ftp_starttls(std::move(topic));
    case Starttls::xmpp:
      return xmpp_starttls(std::move(topic), route.tls_name);
    case Starttls::sieve:
      return sieve_starttls(std::move(topic));
  }
  return nullptr;
}

// PostgreSQL in the tunnel, with SSLRequest or with direct TLS: its clients may ask for TLS of
// their own. Not with `tls = false`: there such a request is meant for the server, and the client's
// TLS passes through.
bool is_pgsql(const config::Service& service) {
  if (service.starttls == Starttls::pgsql) return true;
  if (!service.tls) return false;
  const std::vector<std::string>& alpn = service.tls->alpn;
  return std::find(alpn.begin(), alpn.end(), "postgresql") != alpn.end();
}

std::unique_ptr<Conversation> make_filter(const Route& route) {
  const config::Service& service = route.service;
  if (route.purpose == Purpose::check) return nullptr;
  if (is_pgsql(service)) return pgsql_filter();
  if (service.smtp_login && service.starttls == Starttls::smtp) {
    return smtp_login({.who = route.target, .kind = Kind::starttls_refused}, service.helo,
                      *service.smtp_login);
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Conversation> make_preamble(const Route& route) {
  const config::Service& service = route.service;
  // The proxy is asked for the way to the target, so it comes first. The PROXY header must be the
  // first that the target reads, before it says anything of its own, so STARTTLS comes last.
  std::vector<std::unique_ptr<Conversation>> stages;
  if (route.proxy != nullptr) {
    const bool is_http = route.proxy->form == config::Proxy::Form::http;
    stages.push_back(is_http ? http_connect(*route.proxy, route.host, route.port)
                             : socks5_connect(*route.proxy, route.host, route.port));
  }
  if (service.send_proxy != config::SendProxy::none) {
    stages.push_back(std::make_unique<Announcement>(
        proxy_header(service.send_proxy, route.client, route.accepted)));
  }
  if (auto starttls = make_starttls(route)) stages.push_back(std::move(starttls));
  return std::make_unique<Sequence>(std::move(stages), make_filter(route));
}

std::unique_ptr<Conversation> make_check(config::Check check, const Route& route) {
  const config::Service& service = route.service;
  Topic topic{.who = route.target, .kind = Kind::check_failed};
  const Channel channel =
      service.starttls == Starttls::none ? Channel::fresh : Channel::after_starttls;
  switch (check) {
    case config::Check::none:
    case config::Check::tcp:
    case config::Check::tls:
      return nullptr;
    case config::Check::ldap:
      return ldap_check(std::move(topic));
    case config::Check::smtp:
      return smtp_check(std::move(topic), channel,
                        service.starttls == Starttls::lmtp ? "LHLO" : "EHLO", service.helo);
    case config::Check::imap:
      return imap_check(std::move(topic), channel);
    case config::Check::pop3:
      return pop3_check(std::move(topic), channel);
    case config::Check::pgsql:
      return pgsql_check(std::move(topic), channel, check_login(route));
    case config::Check::mysql:
      return mysql_check(std::move(topic), channel, check_login(route));
    case config::Check::redis:
      return redis_check(std::move(topic));
  }
  return nullptr;
}

}  // namespace tunnel::preamble
