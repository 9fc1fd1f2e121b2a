// SPDX-License-Identifier: MIT
// THE table of stunnel.conf: one row per option of stunnel, with where it may stand, what becomes
// of it here, and why. Reading, conversion, `tunnel explain stunnel` and the manual page go by it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"
#include "import/stunnel_section.h"

namespace tunnel::import {

struct StunnelOption {
  enum class Scope {
    global,   // before the first section only
    service,  // in a section, or before the first one as a default for all
  };
  enum class Fate {
    implemented,
    ignored,  // has no meaning here: a warning says so
    refused,  // an error says why
  };
  enum class Form { text, yes_no, number, words };

  std::string_view name;
  Scope scope = Scope::service;
  Fate fate = Fate::implemented;
  Form form = Form::text;
  std::string_view words = {};     // of Form::words: "rr|prio"
  std::string_view harmless = {};  // of the ignored and the refused: words that ask for nothing
  std::string_view key = {};       // the key of TOML that it becomes, as `tunnel explain` calls it
  std::string_view why = {};       // what becomes of it; a sentence without its capital and stop
  void (*apply)(StunnelSection&, const StunnelGiven&) = nullptr;  // of the implemented
};

// In the order of their names.
[[nodiscard]] std::span<const StunnelOption> stunnel_options();
// As stunnel looks them up: without regard to case. Null when there is none.
[[nodiscard]] const StunnelOption* find_stunnel_option(std::string_view name);
// What is wrong with a value; nothing when it has the option's form.
[[nodiscard]] std::optional<std::string> stunnel_form_error(const StunnelOption& option,
                                                            std::string_view value);

// One of "yes|no|..." in any case.
[[nodiscard]] bool is_one_of(std::string_view value, std::string_view words);
[[nodiscard]] inline bool is_yes(std::string_view value) {
  return equal_ignoring_case(value, "yes");
}

}  // namespace tunnel::import
