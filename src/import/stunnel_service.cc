// SPDX-License-Identifier: MIT
#include "import/stunnel_service.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/address.h"
#include "base/text.h"
#include "import/stunnel_address.h"
#include "import/stunnel_options.h"

namespace tunnel::import {
namespace {

// The words of a line, divided by blanks and nothing else.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \t\v\f");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of(" \t\v\f"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

class ServiceConversion {
 public:
  ServiceConversion(StunnelReport& report, const StunnelSection& section)
      : report_(report), section_(section), tree_(section.header) {}

  config::Value run(StunnelMode mode) {
    if (section_.client == nullptr || !is_yes(section_.client->value)) return refuse_server();
    if (mode == StunnelMode::inetd) {
      check_inetd();
    } else {
      check_endpoints();
    }
    convert_accept(mode);
    convert_exec();
    convert_stunnel_connect(report_, section_, tree_);
    convert_stunnel_tls(report_, section_, tree_);
    convert_timeouts();
    convert_sockets();
    tree_.set("on_truncation", text_at(section_.header, "eof"));
    report_.remark(section_.name, "on_truncation",
                   "as in stunnel, an answer that was cut off on the way looks complete; \"reset\" "
                   "tells the client");
    return std::move(tree_).finish();
  }

 private:
  config::Value refuse_server() {
    report_.error(section_.header,
                  (section_.name.empty() ? "this file" : "section " + in_quotes(section_.name)) +
                      " has no \"client = yes\", so it is the server side of TLS; this is a client "
                      "tunnel",
                  "add client = yes, or keep stunnel or another TLS server for it");
    return std::move(tree_).finish();
  }

  void check_endpoints() {
    const bool has_accept = !section_.accept.empty();
    const bool has_connect = !section_.connect.empty();
    if (has_accept && section_.exec != nullptr && !has_connect) {
      return report_.error(section_.header,
                           "TLS over the input and output of a program is not available: with "
                           "client = yes and accept, exec would be the way to the server",
                           "connect = HOST:PORT is a server that is reached directly");
    }
    const int endpoints = int{has_accept} + int{has_connect} + int{section_.exec != nullptr};
    if (endpoints == 2) return;
    report_.error(section_.header,
                  "section " + in_quotes(section_.name) +
                      " needs exactly two ends: accept and connect, or exec and connect",
                  has_connect || has_accept
                      ? ""
                      : "accept = 127.0.0.1:389 and connect = ldap.example.com:636");
  }

  void check_inetd() {
    for (const StunnelGiven* accept : section_.accept) {
      report_.error(accept->name_at, "\"accept\" comes before any section, and there is no section",
                    "[ldap] in a line of its own begins a service; without accept, the file is one "
                    "for inetd");
    }
    if (section_.exec != nullptr) {
      report_.error(section_.exec->name_at,
                    "without a section the client is standard input and output, not a program");
    }
    if (section_.connect.empty() && section_.accept.empty()) {
      report_.error(section_.header, "there is no service in this file",
                    "the smallest one is: [ldap], client = yes, accept = 127.0.0.1:389, connect = "
                    "ldap.example.com:636, each on a line of its own");
    }
  }

  void convert_accept(StunnelMode mode) {
    if (mode == StunnelMode::inetd) {
      return tree_.set("accept", text_at(section_.header, "stdio"));
    }
    config::Array places;
    for (const StunnelGiven* given : section_.accept) {
      if (auto text = accept_of(*given)) {
        places.push_back(text_at(given->value_at, std::move(*text)));
      }
    }
    if (places.empty()) return;
    tree_.set("accept",
              places.size() == 1 ? places.front() : list_at(places.front().position, places));
    if (remote_at_.line == 0) return;
    tree_.set("allow_remote", flag_at(remote_at_, true));
    report_.remark(section_.name, "allow_remote",
                   "other machines can reach this address, and what they send to it is plaintext; "
                   "accept = \"127.0.0.1:PORT\" without this line is safer");
  }

  // The entry of TOML's `accept`; nothing after an error.
  std::optional<std::string> accept_of(const StunnelGiven& given) {
    const auto address = parse_stunnel_address(given.value);
    if (!address) {
      report_.error(given.value_at, address.error().text,
                    "accept = 127.0.0.1:389, or a port alone for all addresses");
      return std::nullopt;
    }
    if (address->is_path) {
      set_owner();
      return address->host;
    }
    // [::] takes IPv4 clients, too, unless it is told not to.
    const bool is_every = address->host == "*" || (address->host == "::" && !is_v6_only());
    if (address->is_port_alone || is_every) {
      warn_remote(given,
                  "accept = " + printable(given.value, 40) + " is every address of this machine");
      return "*:" + address->port;
    }
    if (can_be_remote(address->host)) {
      warn_remote(given, in_quotes(given.value) + " can be reached by other machines");
    }
    return address->text("");
  }

  void warn_remote(const StunnelGiven& given, std::string text) {
    remote_at_ = given.value_at;
    report_.warning(given.value_at, std::move(text) + ", and what they send to it is plaintext",
                    "accept = 127.0.0.1:PORT is for this machine only");
  }

  bool can_be_remote(const std::string& host) {
    if (const auto ip = SocketAddress::parse_ip(host, 0)) return !ip->is_loopback();
    if (!report_.reader.may_use_system()) return !equal_ignoring_case(host, "localhost");
    const auto found = report_.reader.resolve(host);
    return found && std::any_of(found->begin(), found->end(), [](const SocketAddress& address) {
             return !address.is_loopback();
           });
  }

  [[nodiscard]] bool is_v6_only() const {
    bool result = false;
    for (const StunnelGiven* socket : section_.socket) {
      std::string_view value = socket->value;
      if (!value.starts_with("a:IPV6_V6ONLY")) continue;
      value = value.substr(std::min(value.find('='), value.size() - 1) + 1);
      result =
          is_one_of(value.substr(std::min(value.find_first_not_of(' '), value.size())), "yes|1");
    }
    return result;
  }

  void set_owner() {
    const std::string user = section_.setuid != nullptr ? section_.setuid->value : "";
    const std::string group = section_.setgid != nullptr ? section_.setgid->value : "";
    if (user.empty() && group.empty()) return;
    const StunnelGiven& given = section_.setuid != nullptr ? *section_.setuid : *section_.setgid;
    tree_.set("unix_owner", text_at(given.value_at, group.empty() ? user : user + ":" + group));
  }

  void convert_exec() {
    const StunnelGiven* exec = section_.exec;
    if (exec == nullptr) {
      if (section_.exec_args != nullptr) {
        report_.warning(section_.exec_args->name_at, "\"execArgs\" has no effect without exec");
      }
      return;
    }
    tree_.set("exec", text_at(exec->value_at, exec->value));
    if (const StunnelGiven* args = section_.exec_args) {
      std::vector<std::string> words = words_of(args->value);
      if (!words.empty() && words.front() != exec->value) {
        tree_.set("exec_name", text_at(args->value_at, words.front()));
      }
      config::Array others;
      for (std::size_t i = 1; i < words.size(); ++i) {
        others.push_back(text_at(args->value_at, words[i]));
      }
      if (!others.empty()) tree_.set("exec_args", list_at(args->value_at, std::move(others)));
    }
    if (section_.retry != nullptr) convert_retry(*section_.retry);
  }

  void convert_retry(const StunnelGiven& retry) {
    if (is_one_of(retry.value, "no")) return;
    if (is_yes(retry.value)) return tree_.set("retry", text_at(retry.value_at, "1s"));
    std::int64_t milliseconds = -1;
    const char* end = retry.value.data() + retry.value.size();
    const auto [rest, error] = std::from_chars(retry.value.data(), end, milliseconds);
    if (error != std::errc() || rest != end || milliseconds < 0 || milliseconds > 86'400'000) {
      return report_.error(retry.value_at,
                           "retry is yes, no or a number of milliseconds, at most a day");
    }
    tree_.set("retry", text_at(retry.value_at,
                               std::to_string(std::max<std::int64_t>(milliseconds, 1)) + "ms"));
  }

  void convert_timeouts() {
    timeout("timeouts.connect", section_.timeout_connect, 10);
    timeout("timeouts.handshake", section_.timeout_busy, 300);
    timeout("timeouts.idle", section_.timeout_idle, 43200);
    timeout("timeouts.half_close", section_.timeout_close, 60);
    // Every target has its own time, however many there are.
    tree_.set("timeouts.dial", text_at(section_.header, "off"));
  }

  void timeout(const char* key, const StunnelGiven* given, int standard) {
    const std::string seconds = given != nullptr ? given->value : std::to_string(standard);
    const config::Position at = given != nullptr ? given->value_at : section_.header;
    if (seconds.find_first_not_of('0') != std::string::npos) {
      return tree_.set(key, text_at(at, seconds + "s"));
    }
    if (given == section_.timeout_close) {
      report_.warning(at,
                      "TIMEOUTclose = 0 cuts off answers that are still on their way; it is one "
                      "second here");
      return tree_.set(key, text_at(at, "1s"));
    }
    if (given == section_.timeout_connect) {
      report_.warning(
          at, "TIMEOUTconnect = 0 reaches only what answers at once; it is one second here");
      return tree_.set(key, text_at(at, "1s"));
    }
    report_.error(at, printable(given->option->name) + " = 0 ends every connection at once");
  }

  void convert_sockets() {
    // The last one of each letter and name holds.
    std::map<std::string, config::Value> options;
    for (const StunnelGiven* given : section_.socket) {
      const std::string_view value = given->value;
      const std::string_view side = value.starts_with("a:")   ? "listen"
                                    : value.starts_with("l:") ? "client"
                                    : value.starts_with("r:") ? "target"
                                                              : "";
      const std::size_t equals = value.find('=');
      if (side.empty() || equals == std::string_view::npos || equals == 2) {
        report_.error(given->value_at, "a socket option is written a:, l: or r:, NAME=VALUE",
                      "socket = l:TCP_NODELAY=1");
        continue;
      }
      const std::string name(trimmed(value.substr(2, equals - 2)));
      if (name == "IPV6_V6ONLY" && side == "listen") continue;  // has chosen the addresses
      if (name.find('.') != std::string::npos) {
        report_.error(given->value_at, in_quotes(name) + " is not an option of sockets");
        continue;
      }
      config::Value converted = socket_value(trimmed(value.substr(equals + 1)), given->value_at);
      options.insert_or_assign("socket_options." + std::string(side) + "." + name,
                               std::move(converted));
    }
    for (auto& [key, value] : options) tree_.set(key, std::move(value));
  }

  static config::Value socket_value(std::string_view text, config::Position at) {
    if (is_one_of(text, "yes|no")) return flag_at(at, is_yes(text));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return number_at(at, number);
    return text_at(at, std::string(text));
  }

  StunnelReport& report_;
  const StunnelSection& section_;
  StunnelTree tree_;
  config::Position remote_at_;
};

}  // namespace

std::string stunnel_path(const std::string& path) {
  if (path.starts_with('/') || path.empty()) return path;
  char buffer[4096];
  const std::string here = ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
  return here + "/" + (path.starts_with("./") ? path.substr(2) : path);
}

config::Value convert_stunnel_service(StunnelReport& report, const StunnelSection& section,
                                      StunnelMode mode) {
  return ServiceConversion(report, section).run(mode);
}

}  // namespace tunnel::import
