// SPDX-License-Identifier: MIT
#include "cli/explain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"
#include "cli/glossary.h"
#include "config/schema.h"
#include "import/stunnel_options.h"

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
    {"capture", "Where traffic is captured to, [NAME.capture]"},
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

// Up to the first full stop that ends a sentence, or the one at the end, and without it.
std::string_view first_sentence(std::string_view help) {
  const std::size_t stop = help.find(". ");
  return stop == std::string_view::npos ? help.substr(0, help.size() - 1) : help.substr(0, stop);
}

std::string indented(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n') + 1;
    result += "  " + std::string(text.substr(0, end));
    text.remove_prefix(end);
  }
  return result;
}

std::string lists() {
  std::string text;
  for (const Chapter& chapter : glossary()) {
    text += (text.empty() ? "" : ", ") + std::string(chapter.name);
  }
  return text + ", stunnel";
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
  const bool is_table =
      option.type == config::Type::table || option.type == config::Type::table_or_false;
  for (const Named& other : all) {
    if (!is_table) break;
    if (other.name.starts_with(named.name + ".")) keys += (keys.empty() ? "" : " ") + other.name;
  }
  if (!keys.empty()) text += "\nKeys: " + wrapped(keys);
  return text;
}

// The keys of a group, a line each.
std::string listed(const std::vector<Named>& all, const Title& title) {
  // A longer name than this takes the room of its own line only.
  constexpr std::size_t kColumn = 23;
  std::string text = std::string(title.text) + ":\n";
  for (const Named& named : all) {
    if (named.group != title.group) continue;
    text += "  " + named.name +
            std::string(2 + kColumn - std::min(kColumn, named.name.size()), ' ') +
            std::string(first_sentence(named.option->help)) + "\n";
  }
  return text;
}

// [defaults] is no key, but the first word that a reader of a file looks for.
std::string defaults_text(const std::vector<Named>& all) {
  const auto service = std::find_if(kTitles.begin(), kTitles.end(),
                                    [](const Title& title) { return title.group == "service"; });
  return "defaults: a table\n\n" +
         wrapped(
             "What stands in [defaults] holds for every service that does not say otherwise. "
             "Its tables, such as [defaults.tls], are merged key by key.") +
         "\n" + listed(all, *service);
}

// One name may be a key of the file and of its services: "capture".
std::string explained(std::string_view name, const std::vector<Named>& all) {
  std::string text;
  for (const Named& named : all) {
    if (named.name == name) text += (text.empty() ? "" : "\n") + explained(named, all);
  }
  return text;
}

// The keys that end in what was given without its table: "idle" is "timeouts.idle" and
// "keepalive.idle".
std::string without_table(const std::vector<Named>& all, std::string_view key) {
  std::string text;
  for (const Named& named : all) {
    if (named.option->key != key) continue;
    text += (text.empty() ? "" : "\n") + explained(named, all);
  }
  return text;
}

// A key: as it is, without the service's name, below health.tls, which has the keys of tls, or
// without its table.
std::string key_text(const std::vector<Named>& all, std::string_view key) {
  std::string_view rest = key;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (const std::string text = explained(rest, all); !text.empty()) return text;
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return without_table(all, key);
}

std::string chapter_text(const Chapter& chapter) {
  std::string text = std::string(chapter.title) + ":\n";
  for (const Term& term : chapter.terms) {
    text += "\n" + std::string(term.word) + "\n" + indented(wrapped(term.meaning));
  }
  return text;
}

std::string term_text(std::string_view word) {
  std::string text;
  for (const Chapter& chapter : glossary()) {
    if (chapter.name == word) return chapter_text(chapter);
    for (const Term& term : chapter.terms) {
      if (!equal_ignoring_case(term.word, word)) continue;
      text += (text.empty() ? "" : "\n") + std::string(term.word) + ": " +
              std::string(chapter.one) + "\n\n" + wrapped(term.meaning);
    }
  }
  return text;
}

bool mentions(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
           return equal_ignoring_case({&a, 1}, {&b, 1});
         }) != text.end();
}

// What a word that names nothing was meant to be: something that is spelled like it, or what speaks
// of it.
std::string near(const std::vector<Named>& all, std::string_view word) {
  std::vector<std::string_view> names;
  std::vector<std::string> speaking;
  const auto look_at = [&](std::string_view name, std::string_view help) {
    names.push_back(name);
    if (word.size() > 2 && (mentions(name, word) || mentions(help, word))) {
      speaking.emplace_back(name);
    }
  };
  for (const Named& named : all) {
    look_at(named.name, named.option->help);
    names.push_back(named.option->key);
  }
  for (const Chapter& chapter : glossary()) {
    names.push_back(chapter.name);
    for (const Term& term : chapter.terms) look_at(term.word, term.meaning);
  }
  const std::string_view meant = did_you_mean(word, names);
  if (!meant.empty()) return "; did you mean \"" + std::string(meant) + "\"?";
  constexpr std::size_t kMost = 8;
  std::string list;
  for (std::size_t i = 0; i < std::min(kMost, speaking.size()); ++i) list += " " + speaking[i];
  return list.empty() ? "" : "; these speak of it:" + list;
}

}  // namespace

std::string explain_all() {
  const std::vector<Named> all = config::all_options();
  std::string text;
  for (const Title& title : kTitles) text += (text.empty() ? "" : "\n") + listed(all, title);
  return text +
         "\n`tunnel explain KEY` says more about one of them; `tunnel explain` with one of these "
         "words lists\n" +
         lists() + ".\n";
}

std::string explain_stunnel() {
  using Fate = import::StunnelOption::Fate;
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
    for (const import::StunnelOption& option : import::stunnel_options()) {
      if (option.fate != each.fate) continue;
      text += "  " + std::string(option.name) + std::string(25 - option.name.size(), ' ') +
              (option.key.empty() ? "" : std::string(option.key) + ": ") + std::string(option.why) +
              "\n";
    }
  }
  return text;
}

Result<std::string> explain(std::string_view word) {
  const std::vector<Named> all = config::all_options();
  if (word == "defaults" || word == "[defaults]") return defaults_text(all);
  std::string text = key_text(all, word);
  const std::string term = term_text(word);
  if (!term.empty()) text += (text.empty() ? "" : "\n") + term;
  if (!text.empty()) return text;
  return failed(ErrorCode::not_found,
                "there is nothing called \"" + printable(word, 60) + "\"" + near(all, word));
}

}  // namespace tunnel::cli
