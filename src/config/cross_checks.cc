// SPDX-License-Identifier: MIT
#include "config/cross_checks.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/key_hints.h"

namespace tunnel::config {
namespace {

class Targets {
 public:
  Targets(Document& document, const Service& service) : document_(document), service_(service) {}

  void check() {
    check_weights();
    for (const auto& group : service_.connect) {
      for (const Target& target : group) {
        ++index_;
        check(target);
      }
    }
  }

 private:
  void problem(std::string text, std::string hint = {}) {
    document_.problem(service_.name, "connect", index_, std::move(text), std::move(hint));
  }

  void check_weights() {
    bool any = false;
    for (const auto& group : service_.connect) {
      for (const Target& target : group) any = any || target.weight > 0;
    }
    if (!any && !service_.connect.empty()) {
      document_.warning(service_.name, "connect", -1,
                        "every target has weight 0, so none of them serves");
    }
  }

  void check(const Target& target) {
    // What could not be read is empty.
    if (!target.text.empty() && !seen_.insert(target.text).second) {
      document_.warning(service_.name, "connect", index_,
                        "target " + in_quotes(target.text) + " is listed twice");
    }
    check_name(target);
    check_bind(target);
  }

  void check_name(const Target& target) {
    const bool has_tls = service_.tls || service_.health.tls;
    if (!target.name.empty() && !has_tls) {
      problem("the target has a \"name\" for its certificate, but the service speaks no TLS",
              "remove \"name\", or tls = false");
    }
    if (auto mistake = target.name.empty() ? std::nullopt : mistake_in_name(target.name)) {
      problem(std::move(mistake->text), std::move(mistake->hint));
    }
    // Without a host there is no name to compare with.
    const bool needs_name = service_.tls && service_.tls->verify == Verify::full &&
                            service_.tls->name.empty() && target.name.empty();
    if (target.form == Target::Form::unix_socket && needs_name) {
      problem("a unix socket has no host name that the certificate could be compared with",
              "set tls.name to the name that the server's certificate carries");
    }
  }

  void check_bind(const Target& target) {
    if (!service_.bind || target.form != Target::Form::ip) return;
    const auto address = SocketAddress::parse_ip(target.host, target.port);
    if (!address || address->family() == service_.bind->family()) return;
    problem("target " + in_quotes(target.text) + " cannot be reached from \"bind\" address " +
            service_.bind->ip() + ": one is IPv4, the other IPv6");
  }

  Document& document_;
  const Service& service_;
  int index_ = -1;  // which target of `connect` is at hand
  std::set<std::string> seen_;
};

// [wbe.tls] beside [web] is a service of its own, which has nothing but that table.
std::string meant_service(const Document& document, const Service& service) {
  std::vector<std::string_view> others;
  for (const Service& other : document.config.services) {
    if (&other != &service) others.push_back(other.name);
  }
  const std::string_view meant = did_you_mean(service.name, others);
  if (meant.empty()) return "where is the server? connect = \"ldap.example.com:636\"";
  const auto* table = document.find(service.name, "").value().as<Table>();
  const bool is_inner = table != nullptr && !table->entries().empty() &&
                        table->entries().front().value.as<Table>() != nullptr;
  return "did you mean " +
         header_of(meant, is_inner ? std::string_view(table->entries().front().key) : "") + "?";
}

void check_required(Document& document, const Service& service) {
  // What is written and wrong has been reported, so it is not called missing.
  const bool has_accept =
      document.is_set(service.name, "accept") || document.is_set(service.name, "exec");
  const bool has_connect = document.is_set(service.name, "connect");
  if (has_accept && has_connect) return;
  const std::string what = !has_accept && !has_connect ? "\"accept\" and \"connect\" are"
                           : !has_accept               ? "\"accept\" is"
                                                       : "\"connect\" is";
  document.problem(service.name, "", -1,
                   "service " + in_quotes(service.name) + ": " + what + " missing",
                   has_accept    ? "where is the server? connect = \"ldap.example.com:636\""
                   : has_connect ? "where do clients connect? accept = \"127.0.0.1:389\""
                                 : meant_service(document, service));
}

void check_capture(Document& document, const Service& service) {
  if (!service.capture) return;
  if (document.config.global.capture == Captures::never) {
    document.problem(service.name, "capture", -1,
                     "the service is to be captured, but capture = \"never\" forbids it",
                     "remove the table, or capture = \"never\" at the top of the file");
  }
  if (service.capture->file.empty()) {
    document.problem(service.name, "capture", -1, "a capture needs a file",
                     "file = \"/var/lib/tunnel/" + service.name +
                         ".pcapng\"; `tunnel capture` shows the traffic live, without one");
  }
  for (const Service& other : document.config.services) {
    // Only those before it: each pair is reported once, at the later one.
    if (&other == &service) break;
    if (!other.capture || other.capture->file != service.capture->file) continue;
    if (service.capture->file.empty()) continue;
    document.problem(service.name, "capture.file", -1,
                     "the same file as that of service " + in_quotes(other.name));
  }
}

void check_health(Document& document, const Service& service) {
  const Health& health = service.health;
  if (health.tls && service.tls) {
    document.problem(service.name, "health.tls", -1,
                     "health.tls is for services with tls = false; here checks use the service's "
                     "own tls");
  }
  if (health.check == Check::tls && !service.tls && !health.tls) {
    document.problem(service.name, "health.check", -1,
                     "checks cannot speak TLS: the service has tls = false and no health.tls",
                     "add " + header_of(service.name, "health.tls") + ", or use check = \"tcp\"");
  }
  const bool has_login = health.check == Check::pgsql || health.check == Check::mysql;
  for (const char* key : {"health.user", "health.database"}) {
    if (has_login || !document.is_set(service.name, key)) continue;
    document.problem(service.name, key, -1,
                     std::string(key) + " is for checks that start a session with a database",
                     "set check = \"pgsql\" or check = \"mysql\", or remove it");
  }
  if (has_login && health.user.empty() && !health.database.empty()) {
    document.problem(service.name, "health.database", -1,
                     "health.database needs health.user: without a user no session is started");
  }
  // Without eject_max, a longer eject_time is the longest.
  if (health.eject_max < health.eject_time && document.is_set(service.name, "health.eject_max")) {
    document.problem(service.name, "health.eject_max", -1,
                     "eject_max (" + format_duration(health.eject_max) +
                         ") is shorter than eject_time (" + format_duration(health.eject_time) +
                         ")");
  }
  if (health.on_ejected != OnEjected::keep && health.check == Check::none) {
    document.warning(service.name, "health.on_ejected", -1,
                     "\"on_ejected\" is about targets that checks find dead, and there are no "
                     "checks; set health.check");
  }
}

// What is said before TLS needs a TLS to be said before, and a proxy can only reach what has a name
// or an address.
void check_preamble(Document& document, const Service& service) {
  const auto problem = [&](std::string_view key, std::string text, std::string hint) {
    document.problem(service.name, key, -1, std::move(text), std::move(hint));
  };
  if (service.starttls != Starttls::none && !service.tls) {
    problem("starttls", "\"starttls\" upgrades to TLS, but the service has tls = false",
            "remove one of the two");
  }
  const bool is_smtp = service.starttls == Starttls::smtp;
  if (service.smtp_login && !is_smtp) {
    problem("smtp_login", "\"smtp_login\" is made with starttls = \"smtp\" only",
            "add starttls = \"smtp\"");
  } else if (service.smtp_login &&
             (service.smtp_login->user.empty() || service.smtp_login->password.empty())) {
    problem("smtp_login", "\"smtp_login\" needs a user and a password",
            "smtp_login = { user = \"...\", password = \"...\" }");
  }
  if (document.is_set(service.name, "helo") && !is_smtp && service.starttls != Starttls::lmtp) {
    document.warning(service.name, "helo", -1,
                     "\"helo\" is said with starttls = \"smtp\" and \"lmtp\" only");
  }
  if (service.starttls == Starttls::ftp) {
    document.warning(service.name, "starttls", -1,
                     "starttls = \"ftp\" secures the control channel only: the data connections "
                     "do not pass through the tunnel");
  }
  if (service.proxies.empty()) return;
  for (const auto& group : service.connect) {
    for (const Target& target : group) {
      if (target.form == Target::Form::unix_socket) {
        problem(
            "proxy",
            "the target " + in_quotes(target.text) + " is a unix socket, which no proxy reaches",
            "give the target a host and a port");
      }
      if (target.expand) {
        problem("proxy",
                "the proxy resolves names, so " + in_quotes(target.text) + " cannot be expanded",
                "remove expand = true");
      }
    }
  }
}

void check_keepalive(Document& document, const Service& service) {
  const auto check = [&](std::string_view key, Millis value) {
    // TCP_KEEPIDLE and TCP_KEEPINTVL are in seconds.
    if (value.count() % 1000 == 0) return;
    document.problem(service.name, key, -1, std::string(key) + " must be whole seconds");
  };
  check("keepalive.idle", service.keepalive.idle);
  check("keepalive.interval", service.keepalive.interval);
}

}  // namespace

// Of several problems at one place the first is reported (Document::problem), so what is missing
// comes before what does not fit together.
void cross_check(Document& document) {
  for (const Service& service : document.config.services) {
    check_required(document, service);
    cross_check_source(document, service);
    Targets(document, service).check();
    check_health(document, service);
    check_capture(document, service);
    check_preamble(document, service);
    cross_check_first_word(document, service);
    check_keepalive(document, service);
    if (service.tls) cross_check_tls(document, service, *service.tls, "tls");
    if (service.health.tls) {
      cross_check_tls(document, service, *service.health.tls, "health.tls");
    }
  }
  cross_check_accepts(document);
  cross_check_loops(document);
}

}  // namespace tunnel::config
