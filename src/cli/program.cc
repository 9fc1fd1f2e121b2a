// SPDX-License-Identifier: MIT
#include "cli/program.h"

#include "cli/convert.h"
#include "cli/explain.h"
#include "cli/invocation.h"
#include "cli/summary.h"
#include "import/load.h"

namespace tunnel::cli {
namespace {

constexpr int kWrong = 2;

Outcome misused(const std::string& text) {
  return {kWrong, "", "tunnel: " + text + "\nTry \"tunnel --help\".\n"};
}

// Warnings of loading name their service and key in front: "[ldap] tls.verify = ...". They get the
// place of that key, like everything else that is reported.
void locate(config::Document& document, const std::string& warning) {
  for (const config::Service& service : document.config.services) {
    const std::string prefix = "[" + service.name + "] ";
    if (!warning.starts_with(prefix)) continue;
    const std::string text = warning.substr(prefix.size());
    const std::string key = text.substr(0, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."));
    const bool is_key = key.find('.') != std::string::npos && document.is_set(service.name, key);
    return document.warning(service.name, is_key ? key : "", -1, text);
  }
  document.warning("", "", -1, warning);
}

Outcome check(const Invocation& invocation, const Machinery& machinery) {
  config::Document document = import::load(invocation.config);
  for (const std::string& warning : machinery.check_credentials(document)) {
    locate(document, warning);
  }
  const bool is_broken = document.has_errors();
  return {is_broken ? kWrong : 0, is_broken ? "" : summary(document.config), document.render()};
}

Outcome run(const Invocation& invocation, const Machinery& machinery) {
  const auto syntax = invocation.is_stunnel ? import::Syntax::stunnel : import::Syntax::by_name;
  config::Document document = import::load(invocation.config, config::System::use, syntax);
  if (document.has_errors()) return {kWrong, "", document.render()};
  if (invocation.foreground) document.config.global.foreground = true;
  if (invocation.log_level) document.config.global.log_level = *invocation.log_level;
  return {machinery.run(std::move(document)), "", ""};
}

Outcome convert(const Invocation& invocation) {
  if (invocation.config.empty()) {
    const auto text = convert_command_line(invocation.command_line);
    if (!text) return {kWrong, "", "tunnel: " + text.error().text + "\n"};
    return {0, *text, ""};
  }
  const config::Document document = import::load(invocation.config);
  if (document.has_errors()) return {kWrong, "", document.render()};
  const auto text = convert_file(document);
  if (!text) return {kWrong, "", "tunnel: " + text.error().text + "\n"};
  return {0, *text, document.render()};
}

Outcome explain_key(const std::string& key) {
  if (key.empty()) return {0, explain_all(), ""};
  if (key == "stunnel") return {0, explain_stunnel(), ""};
  const auto text = explain(key);
  if (!text) {
    return {kWrong, "", "tunnel: " + text.error().text + "\n\"tunnel explain\" lists all keys.\n"};
  }
  return {0, *text, ""};
}

}  // namespace

Outcome execute(std::vector<std::string> arguments, const Machinery& machinery) {
  const auto invocation = parse_arguments(std::move(arguments));
  if (!invocation) return misused(invocation.error().text);
  switch (invocation->command) {
    case Invocation::Command::run:
      return run(*invocation, machinery);
    case Invocation::Command::check:
      return check(*invocation, machinery);
    case Invocation::Command::convert:
      return convert(*invocation);
    case Invocation::Command::explain:
      return explain_key(invocation->key);
    case Invocation::Command::help:
      return {0, std::string(usage()), ""};
    case Invocation::Command::version:
      return {0, "tunnel " TUNNEL_VERSION " (" + machinery.libraries + ")\n", ""};
  }
  return {kWrong, "", ""};
}

}  // namespace tunnel::cli
