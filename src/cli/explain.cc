// SPDX-License-Identifier: MIT
#include "cli/explain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"
#include "config/schema.h"
#include "config/stunnel_options.h"

namespace tunnel::cli {
namespace {

using config::Named;

constexpr std::size_t kWidth = 90;

struct Title {
  std::string_view group;
  std::string_view text;
};

constexpr auto kTitles = std::to_array<Title>({
    {"global", "Global keys, before the first table"},
    {"service", "Keys of a service, [NAME]; in [defaults] they hold for every service"},
    {"tls", "How TLS is spoken, [NAME.tls]"},
    {"smtp_login", "A login at a mail server, [NAME.smtp_login]"},
    {"timeouts", "How long things may take, [NAME.timeouts]"},
    {"keepalive", "TCP keepalive, [NAME.keepalive]"},
    {"socket_options", "Options of sockets, [NAME.socket_options]"},
    {"health", "How failing targets are avoided, [NAME.health]"},
    {"connect", "Keys of a target, connect = [{ ... }]"},
});

std::string wrapped(std::string_view text) {
  std::string result;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (column > 0 && column + 1 + word.size() > kWidth) {
      result += '\n';
      column = 0;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return result + "\n";
}

// Up to the first full stop (or colon with what follows) that ends a sentence.
std::string_view first_sentence(std::string_view help) {
  const std::size_t stop = help.find(". ");
  return stop == std::string_view::npos ? help.substr(0, help.size() - 1) : help.substr(0, stop);
}

std::string explained(const Named& named, const std::vector<Named>& all) {
  const config::Option& option = *named.option;
  std::string text = named.name + ": " + config::describe(option) + "\n";
  if (!option.standard.empty()) text += "default: " + std::string(option.standard) + "\n";
  text += "\n" + wrapped(option.help);
  if (!option.stunnel.empty()) {
    text += "\nIn stunnel.conf: " + std::string(option.stunnel) + "\n";
  }
  std::string keys;
  for (const Named& other : all) {
    if (other.name.starts_with(named.name + ".")) keys += (keys.empty() ? "" : " ") + other.name;
  }
  if (!keys.empty()) text += "\nKeys: " + wrapped(keys);
  return text;
}

const Named* find(const std::vector<Named>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Named& named) { return named.name == name; });
  return found != all.end() ? &*found : nullptr;
}

// The full name of a key that was given without its table: "ca" is "tls.ca".
std::string_view with_table(const std::vector<Named>& all, std::string_view key) {
  for (const Named& named : all) {
    if (named.option->key == key) return named.name;
  }
  return "";
}

}  // namespace

std::string explain_all() {
  const std::vector<Named> all = config::all_options();
  std::size_t widest = 0;
  for (const Named& named : all) widest = std::max(widest, named.name.size());
  std::string text;
  for (const Title& title : kTitles) {
    text += (text.empty() ? "" : "\n") + std::string(title.text) + ":\n";
    for (const Named& named : all) {
      if (named.group != title.group) continue;
      text += "  " + named.name + std::string(widest + 2 - named.name.size(), ' ') +
              std::string(first_sentence(named.option->help)) + "\n";
    }
  }
  return text + "\n`tunnel explain KEY` says more about one of them.\n";
}

std::string explain_stunnel() {
  using Fate = config::StunnelOption::Fate;
  struct Class {
    Fate fate;
    std::string_view title;
  };
  constexpr auto kClasses = std::to_array<Class>({
      {Fate::implemented, "Implemented: what the option means here, and the key it becomes"},
      {Fate::ignored, "Ignored, with a warning: it has no meaning here"},
      {Fate::refused, "Refused, with an error"},
  });
  std::string text;
  for (const Class& each : kClasses) {
    text += (text.empty() ? "" : "\n") + std::string(each.title) + ":\n";
    for (const config::StunnelOption& option : config::stunnel_options()) {
      if (option.fate != each.fate) continue;
      text += "  " + std::string(option.name) + std::string(25 - option.name.size(), ' ') +
              (option.key.empty() ? "" : std::string(option.key) + ": ") + std::string(option.why) +
              "\n";
    }
  }
  return text;
}

Result<std::string> explain(std::string_view key) {
  const std::vector<Named> all = config::all_options();
  // As it is, without the service's name, and below health.tls, which has the keys of tls.
  std::string_view rest = key;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (const Named* named = find(all, rest)) return explained(*named, all);
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  std::vector<std::string_view> names;
  for (const Named& named : all) names.emplace_back(named.name);
  std::string_view meant = with_table(all, key);
  if (meant.empty()) meant = did_you_mean(key, names);
  std::string text = "there is no key \"" + printable(key, 60) + "\"";
  if (!meant.empty()) text += "; did you mean \"" + std::string(meant) + "\"?";
  return failed(ErrorCode::not_found, std::move(text));
}

}  // namespace tunnel::cli
