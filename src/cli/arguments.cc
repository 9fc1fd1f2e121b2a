// SPDX-License-Identifier: MIT
#include "cli/arguments.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace tunnel::cli {
namespace {

using Words = std::vector<std::string>;

// How many words an option is that may stand in front of the file, or behind it; 0: none of ours.
std::ptrdiff_t words_of_option(Words::const_iterator word, Words::const_iterator end) {
  if (*word == "-f" || *word == "--foreground") return 1;
  for (const std::string_view option : {"--log-level", "--control", "--ready-fd"}) {
    if (*word == option) return std::min<std::ptrdiff_t>(2, end - word);
    if (word->starts_with(option) && (*word)[option.size()] == '=') return 1;
  }
  return 0;
}

// stunnel is run by programs that put words of their own behind its file (rsync's, MariaDB's), and
// takes no notice of them. Ours are taken, if there are no others.
void ignore_what_follows(Words& arguments, Words::iterator file) {
  auto rest = file + 1;
  for (auto word = rest; word != arguments.end();) {
    const auto words = words_of_option(word, arguments.end());
    // One stranger, and none of them is for us: among another program's words, "-f" may mean
    // anything.
    if (words == 0) return (void)arguments.erase(rest, arguments.end());
    word += words;
  }
}

// What only stunnel's command line has: a file whose name ends in .conf, then words that are not
// for us; and "-fd N", a descriptor to read the file from. Says whether it was the latter.
Result<bool> read_as_stunnel(Words& arguments) {
  auto word = arguments.begin();
  while (word != arguments.end()) {
    const auto words = words_of_option(word, arguments.end());
    if (words == 0) break;
    word += words;
  }
  if (word == arguments.end()) return false;
  if (word->ends_with(".conf")) {
    ignore_what_follows(arguments, word);
    return false;
  }
  if (*word != "-fd") return false;
  const auto number = word + 1;
  if (number == arguments.end() || number->empty() || number->size() > 9 ||
      !std::all_of(number->begin(), number->end(), is_digit)) {
    return failed(ErrorCode::invalid,
                  "-fd needs the number of the descriptor that a stunnel.conf is read from");
  }
  // The reader of files then needs to know nothing of descriptors.
  *number = "/dev/fd/" + *number;
  word = arguments.erase(word);
  ignore_what_follows(arguments, word);
  return true;
}

}  // namespace

Result<Arguments> Arguments::sort(std::vector<std::string> words) {
  Arguments sorted;
  const auto is_stunnel = read_as_stunnel(words);
  if (!is_stunnel) return tl::unexpected(is_stunnel.error());
  sorted.is_stunnel = *is_stunnel;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes != words.end() && std::find(words.begin(), dashes, "convert") != dashes) {
    sorted.command_line.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  // Understood as words, too: "help check" is "check --help".
  if (!words.empty() && (words[0] == "help" || words[0] == "version")) {
    words.push_back("--" + words[0]);
    words.erase(words.begin());
  }
  // To CLI11 these are bundles of short options.
  const auto end_of_options = std::find(words.begin(), words.end(), "--");
  for (auto word = words.begin(); word != end_of_options; ++word) {
    if (*word == "-help" || *word == "-version") word->insert(0, "-");
  }
  sorted.words = std::move(words);
  return sorted;
}

}  // namespace tunnel::cli
