// SPDX-License-Identifier: MIT
// What every row of the option table says about its key, whatever object the key belongs to.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace tunnel::config {

// The longest that most durations may be.
inline constexpr std::int64_t kDay = 86'400'000;

enum class Type {
  boolean,
  text,
  texts,
  path,
  path_or_off,
  readable_path,
  readable_paths,
  program,
  secret_path,
  path_or_uri,
  log_target,
  globs,
  choice,
  duration,
  timeout,
  integer,
  size,
  size_or_off,
  workers,
  user,
  group,
  name_servers,
  source_address,
  ranges,
  accept,
  connect,
  proxy,
  target,
  unix_mode,
  unix_owner,
  pins,
  socket_options,
  table,
  table_or_false,
};

// A row whose time has not come is unknown to everybody; changing one word here enables it.
// `elsewhere` is for words: other programs say so, and it is suggested, not taken.
enum class Availability { now, later, elsewhere };

// A word of a choice and the enumerator it stands for.
struct Word {
  std::string_view word;
  int value;
  Availability availability = Availability::now;
};

struct Option {
  std::string_view key;
  std::string_view stunnel = {};   // its name in stunnel.conf, if it has one with the same meaning
  std::string_view standard = {};  // the default, as a person would write it; empty: none
  std::string_view help = {};      // one to three sentences
  std::int64_t min = 0;            // for integers and durations (milliseconds)
  std::int64_t max = std::numeric_limits<std::int32_t>::max();
  Availability availability = Availability::now;
  Type type = Type::text;            // filled by row<>
  std::span<const Word> words = {};  // filled by row<> for choices
};

// "a duration such as "10s", or "off"": what a value of this row looks like.
[[nodiscard]] std::string describe(const Option& option);

}  // namespace tunnel::config
