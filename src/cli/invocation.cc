// SPDX-License-Identifier: MIT
#include "cli/invocation.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/text.h"

namespace tunnel::cli {
namespace {

// Commands of the manual that this version does not have. Their names are not file names by
// accident: who types one wants the command.
constexpr std::array<std::string_view, 4> kLater = {"probe", "status", "reload", "drain"};

constexpr std::array<std::string_view, 5> kCommands = {"check", "convert", "explain", "help",
                                                       "version"};

constexpr std::string_view kConvert = "tunnel convert FILE.conf, or tunnel convert -- balance ARGS";

constexpr std::array<std::string_view, 4> kLevels = {"error", "warning", "info", "debug"};

constexpr std::array<std::string_view, 4> kOptions = {"--foreground", "--log-level", "--help",
                                                      "--version"};

std::string in_quotes(std::string_view text) { return "\"" + printable(text) + "\""; }

tl::unexpected<Error> misused(std::string text) {
  return failed(ErrorCode::invalid, std::move(text));
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

// What no option and no command takes.
tl::unexpected<Error> unexpected_argument(const std::string& argument) {
  if (!argument.starts_with('-') || argument == "-") {
    return misused("unexpected argument " + in_quotes(argument));
  }
  if (argument == "-v") {
    return misused("unknown option \"-v\"; -V prints the version, and --log-level debug logs more");
  }
  const std::string name = argument.substr(0, argument.find('='));
  const std::string_view meant = did_you_mean(name, kOptions);
  return misused("unknown option " + in_quotes(name) +
                 (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
}

// A first word that is neither a command nor a file: what it was probably meant to be.
std::optional<tl::unexpected<Error>> mistyped_command(const std::string& word) {
  if (word.empty() || exists(word)) return std::nullopt;
  if (std::find(kLater.begin(), kLater.end(), word) != kLater.end()) {
    return misused("the command " + in_quotes(word) + " is not available in this version");
  }
  const std::string_view meant = did_you_mean(word, kCommands);
  if (meant.empty() || word.find_first_of("./") != std::string::npos) return std::nullopt;
  return misused("there is no command " + in_quotes(word) + ", and no such file; did you mean " +
                 in_quotes(meant) + "?");
}

// The command line as CLI11 sees it. It is told as little as possible: its sentences are for
// programmers, ours are below.
struct Grammar {
  CLI::App app{"", "tunnel"};
  CLI::App* check = nullptr;
  CLI::App* convert = nullptr;
  CLI::App* explain = nullptr;
  bool help = false;
  bool version = false;
  bool foreground = false;
  std::string level;
  std::string config;
  std::string checked;
  std::string converted;
  std::string key;

  Grammar() {
    app.set_help_flag();
    app.allow_extras();
    app.add_flag("-h,--help", help);
    app.add_flag("-V,--version", version);
    app.add_flag("-f,--foreground", foreground);
    app.add_option("--log-level", level);
    app.add_option("CONFIG", config);
    check = app.add_subcommand("check");
    convert = app.add_subcommand("convert");
    explain = app.add_subcommand("explain");
    check->add_option("CONFIG", checked);
    convert->add_option("FILE", converted);
    explain->add_option("KEY", key);
    for (CLI::App* command : {check, convert, explain}) {
      command->set_help_flag();
      // Wherever they stand on the line, before the command or after it.
      command->add_flag("-f,--foreground", foreground);
      command->add_option("--log-level", level);
      command->add_flag("-h,--help", help);
      command->allow_extras();
    }
  }
};

Result<Invocation> finished(const Grammar& grammar) {
  Invocation result;
  result.foreground = grammar.foreground;
  // As words, too, unless there is such a file.
  const auto is_word = [&](const char* word) {
    return grammar.config == word && !exists(grammar.config);
  };
  if (grammar.help || is_word("help")) {
    result.command = Invocation::Command::help;
    return result;
  }
  if (grammar.version || is_word("version")) {
    result.command = Invocation::Command::version;
    return result;
  }
  if (!grammar.level.empty()) {
    const auto* level = std::find(kLevels.begin(), kLevels.end(), grammar.level);
    if (level == kLevels.end()) {
      return misused("--log-level is error, warning, info or debug, not " +
                     in_quotes(grammar.level));
    }
    result.log_level = static_cast<log::Level>(level - kLevels.begin());
  }
  if (auto wrong = mistyped_command(grammar.config)) return std::move(*wrong);
  const std::vector<std::string> extras = grammar.app.remaining(true);
  if (!extras.empty()) return unexpected_argument(extras.front());
  if (grammar.explain->parsed()) {
    result.command = Invocation::Command::explain;
    result.key = grammar.key;
  } else if (grammar.check->parsed()) {
    if (grammar.checked.empty()) {
      return misused("check needs a configuration file: tunnel check CONFIG");
    }
    result.command = Invocation::Command::check;
    result.config = grammar.checked;
  } else if (grammar.convert->parsed()) {
    result.command = Invocation::Command::convert;
    result.config = grammar.converted;
  } else {
    result.config = grammar.config;
  }
  const bool is_command = result.command != Invocation::Command::run;
  if (is_command && !grammar.config.empty()) {
    return misused("unexpected argument " + in_quotes(grammar.config) + " before the command");
  }
  if (!is_command && result.config.empty()) return misused("which configuration file?");
  return result;
}

using Words = std::vector<std::string>;

// How many words an option is that may stand in front of the file, or behind it; 0: none of ours.
std::ptrdiff_t words_of_option(Words::const_iterator word, Words::const_iterator end) {
  if (*word == "-f" || *word == "--foreground" || word->starts_with("--log-level=")) return 1;
  return *word == "--log-level" ? std::min<std::ptrdiff_t>(2, end - word) : 0;
}

// stunnel is run by programs that put words of their own behind its file (rsync's, MariaDB's), and
// takes no notice of them. Ours are taken, if there are no others.
void ignore_what_follows(Words& arguments, Words::iterator file) {
  auto rest = file + 1;
  for (auto word = rest; word != arguments.end();) {
    const auto words = words_of_option(word, arguments.end());
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
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (number == arguments.end() || number->empty() || number->size() > 9 ||
      !std::all_of(number->begin(), number->end(), is_digit)) {
    return misused("-fd needs the number of the descriptor that a stunnel.conf is read from");
  }
  *number = "/dev/fd/" + *number;
  word = arguments.erase(word);
  ignore_what_follows(arguments, word);
  return true;
}

}  // namespace

Result<Invocation> parse_arguments(std::vector<std::string> arguments) {
  Grammar grammar;
  const auto is_stunnel = read_as_stunnel(arguments);
  if (!is_stunnel) return tl::make_unexpected(is_stunnel.error());
  // What follows "convert --" is another program's business, options and all.
  std::vector<std::string> command_line;
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (std::find(arguments.begin(), dashes, "convert") != dashes && dashes != arguments.end()) {
    command_line.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
  }
  // Elsewhere it ends the options: a name after it may begin with a dash.
  if (const auto end = std::find(arguments.begin(), arguments.end(), "--");
      end != arguments.end()) {
    for (auto name = arguments.erase(end); name != arguments.end(); ++name) {
      if (name->starts_with('-')) name->insert(0, "./");
    }
  }
  // As stunnel and others write them; to CLI11 these are bundles of short options.
  const auto end_of_options = std::find(arguments.begin(), arguments.end(), "--");
  for (auto argument = arguments.begin(); argument != end_of_options; ++argument) {
    if (*argument == "-help" || *argument == "-version") argument->insert(0, "-");
  }
  // CLI11 takes them from the back.
  std::reverse(arguments.begin(), arguments.end());
  try {
    grammar.app.parse(std::move(arguments));
  } catch (const CLI::Error& error) {
    // The one place where an exception may come from: CLI11 has no other way to say no.
    return misused(error.what());
  }
  auto result = finished(grammar);
  if (result) result->is_stunnel = *is_stunnel;
  if (!result || result->command != Invocation::Command::convert) return result;
  if (command_line.empty() == result->config.empty()) {
    return misused("convert needs a file or a command line: " + std::string(kConvert));
  }
  result->command_line = std::move(command_line);
  return result;
}

std::string_view usage() {
  return R"(tunnel: carries plain TCP connections over TLS

  tunnel [OPTIONS] CONFIG      run the services of CONFIG
  tunnel [OPTIONS] -fd N       those of a stunnel.conf that descriptor N is open on
  tunnel check CONFIG          validate it, print every problem, change nothing
  tunnel convert FILE.conf     a stunnel.conf as TOML, on standard output
  tunnel convert -- balance ARGS
                               the same for a command line of balance
  tunnel explain [WORD]        what a configuration key means, its type and default;
                               or a word of the log, a signal, an exit status
  tunnel explain stunnel       what becomes of each option of a stunnel.conf

OPTIONS
  -f, --foreground             stay in the foreground and log to standard error
      --log-level LEVEL        error, warning, info or debug
  -h, --help                   print this text
  -V, --version                print the version, and those of GnuTLS and libuv

Exit status: 0 ended as asked, 1 failed at run time, 2 usage or configuration error.
)";
}

}  // namespace tunnel::cli
