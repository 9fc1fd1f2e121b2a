// SPDX-License-Identifier: MIT
#include "import/load.h"

#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/foreign.h"
#include "config/load.h"
#include "import/openssl_suites.h"
#include "import/stunnel_options.h"
#include "import/stunnel_reader.h"

namespace tunnel::import {
namespace {

std::optional<config::ForeignOption> find_option(std::string_view name) {
  const StunnelOption* option = find_stunnel_option(name);
  if (option == nullptr) return std::nullopt;
  config::ForeignOption found{.name = option->name, .key = option->key};
  switch (option->fate) {
    case StunnelOption::Fate::implemented:
      break;
    case StunnelOption::Fate::ignored:
      found.verdict = "has no meaning here: " + std::string(option->why);
      break;
    case StunnelOption::Fate::refused:
      found.verdict = "is not available here: " + std::string(option->why);
      break;
  }
  return found;
}

std::string_view standard_suite(std::string_view openssl_name) {
  for (const OpensslSuite& suite : openssl_suites()) {
    if (equal_ignoring_case(suite.name, openssl_name)) return suite.iana;
  }
  return "";
}

// Both know the names: what a stunnel.conf becomes is checked like any other configuration.
config::Foreign foreign_for(const std::string& path, Syntax syntax) {
  const bool is_stunnel = syntax == Syntax::stunnel || path.ends_with(".conf");
  return {.read = is_stunnel ? &read_stunnel : nullptr,
          .find_stunnel_option = &find_option,
          .standard_suite = &standard_suite};
}

}  // namespace

config::Document load(const std::string& path, config::System system, Syntax syntax) {
  return config::load(path, system, foreign_for(path, syntax));
}

config::Document parse(std::string text, const std::string& path, config::System system,
                       Syntax syntax) {
  return config::parse(std::move(text), path, system, foreign_for(path, syntax));
}

}  // namespace tunnel::import
