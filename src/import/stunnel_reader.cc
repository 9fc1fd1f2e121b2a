// SPDX-License-Identifier: MIT
#include "import/stunnel_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>
#include <string>
#include <utility>

#include "base/text.h"
#include "config/other_formats.h"
#include "import/stunnel_conversion.h"
#include "import/stunnel_include.h"
#include "import/stunnel_lexer.h"
#include "import/stunnel_options.h"
#include "import/stunnel_service.h"

namespace tunnel::import {
namespace {

using Scope = StunnelOption::Scope;
using Fate = StunnelOption::Fate;

// stunnel has no such bounds: a folder that includes itself is read without end there.
constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kDeepestInclude = 100;

class StunnelReader {
 public:
  StunnelReader(config::Diagnostics& diagnostics, config::Reader& reader)
      : diagnostics_(diagnostics), reader_(reader) {
    sections_.emplace_back();  // the global part
    sections_.front().header = {0, 1, 1};
  }

  config::Translation read(std::uint32_t file) {
    read_file(file);
    return convert_stunnel(diagnostics_, reader_, sections_);
  }

 private:
  // ---- lines

  void read_file(std::uint32_t file) {
    const config::Source& source = diagnostics_.source(file);
    // Counted over all files, for one folder may be included many times.
    total_ += source.text().size();
    if (total_ > config::kLargestFile) {
      return diagnostics_.error({file, 0, 0},
                                "with this file the configuration is larger than 16 MiB");
    }
    StunnelLexer lexer(source, file);
    while (auto line = lexer.next()) {
      if (reader_.is_exhausted()) return;
      read_line(*line);
    }
  }

  void read_line(StunnelLine& line) {
    if (line.has_nul) {
      diagnostics_.warning(line.name_at, "a NUL byte ends this line; what follows it is not read",
                           "this may not be a text file");
    }
    if (line.is_split) {
      diagnostics_.warning(line.name_at,
                           "this line is longer than 16383 bytes; the rest of it is read as a line "
                           "of its own");
    }
    switch (line.form) {
      case StunnelLine::Form::section:
        return begin_section(line);
      case StunnelLine::Form::option:
        return read_option(line);
      case StunnelLine::Form::other:
        return diagnostics_.error(
            line.name_at, "a line is OPTION = VALUE or [SECTION], and this is neither",
            line.name.starts_with('[') ? "comments stand in lines of their own"
                                       : "comments begin with \";\" or \"#\"");
    }
  }

  void begin_section(const StunnelLine& line) {
    sections_.emplace_back();
    sections_.back().name = line.name;
    sections_.back().header = line.name_at;
  }

  [[nodiscard]] bool is_global_part() const { return sections_.size() == 1; }

  void read_option(StunnelLine& line) {
    const StunnelOption* option = find_stunnel_option(line.name);
    if (option == nullptr) return report_unknown(line);
    if (option->scope == Scope::global && !is_global_part()) {
      return diagnostics_.error(
          line.name_at,
          "\"" + std::string(option->name) + "\" is a global option and cannot be in a section",
          "write it before the first [SECTION]");
    }
    // At once, because the order of lines decides: what the files hold stands in the place of this
    // line.
    if (option->name == "include") return include(line);
    if (const std::size_t bad = config::find_invalid_utf8(line.value); bad != std::string::npos) {
      return diagnostics_.error(line.value_at, "these bytes are not UTF-8 text");
    }
    if (auto problem = stunnel_form_error(*option, line.value)) {
      return diagnostics_.error(
          line.value_at, std::move(*problem),
          has_comment(line.value) ? "comments stand in lines of their own" : "");
    }
    warn_strange(*option, line);
    judge(*option, line);
    givens_.push_back({option, std::move(line.value), line.name_at, line.value_at});
    sections_.back().givens.push_back(&givens_.back());
  }

  void report_unknown(const StunnelLine& line) {
    std::vector<std::string_view> known;
    for (const StunnelOption& option : stunnel_options()) known.push_back(option.name);
    const std::string_view meant = did_you_mean(line.name, known);
    diagnostics_.error(line.name_at, "stunnel has no option " + in_quotes(line.name),
                       meant.empty() ? "" : "did you mean \"" + std::string(meant) + "\"?");
  }

  static bool has_comment(std::string_view value) {
    for (const char* start : {" ;", " #", "\t;", "\t#"}) {
      if (value.find(start) != std::string_view::npos) return true;
    }
    return false;
  }

  // What means something in other files, and is part of the value in this one.
  void warn_strange(const StunnelOption& option, const StunnelLine& line) {
    // A password may look like anything.
    if (option.form != StunnelOption::Form::text || option.name == "protocolPassword") return;
    const std::string_view value = line.value;
    const auto warn = [&](std::string text, std::string hint) {
      diagnostics_.warning(line.value_at, std::move(text), std::move(hint));
    };
    if (has_comment(value) && option.name != "execArgs" && option.name != "protocolHeader") {
      warn("what looks like a comment is part of the value",
           "comments stand in lines of their own");
    }
    const char first = value.empty() ? '\0' : value.front();
    if ((first == '"' || first == '\'') && value.size() > 1 && value.back() == first) {
      warn("the quotes are part of the value", "write it without them");
    }
    if (value.ends_with('\\')) {
      warn("the backslash is part of the value: lines are not continued", "write it in one line");
    }
  }

  void judge(const StunnelOption& option, const StunnelLine& line) {
    if (option.name == "debug" && !is_global_part()) {
      diagnostics_.warning(line.name_at,
                           "\"debug\" has no effect in a section: one level holds for all services",
                           "write it before the first [SECTION]");
    }
    if (option.fate == Fate::implemented || is_one_of(line.value, option.harmless)) return;
    const std::string name = "\"" + std::string(option.name) + "\"";
    if (option.fate == Fate::refused) {
      return diagnostics_.error(line.name_at, name + " is refused: " + std::string(option.why));
    }
    diagnostics_.warning(line.name_at, name + " has no effect: " + std::string(option.why));
  }

  // ---- files

  // The files are one stream of lines, as in stunnel: a section that begins in one goes on in the
  // next, and the first section of any ends the global part for good.
  void include(const StunnelLine& line) {
    if (!reader_.may_use_system()) return;
    const auto files = files_of_folder(stunnel_path(line.value));
    if (!files) {
      return diagnostics_.error(line.value_at, files.error().text,
                                "include = FOLDER reads all files of a folder");
    }
    if (open_.size() >= kDeepestInclude) {
      return diagnostics_.error(line.value_at, "files include one another without end");
    }
    for (const std::string& path : *files) include_file(line, path);
  }

  void include_file(const StunnelLine& line, const std::string& path) {
    if (reader_.is_exhausted()) return;
    struct stat status {};
    const std::pair<dev_t, ino_t> identity = ::stat(path.c_str(), &status) == 0
                                                 ? std::pair(status.st_dev, status.st_ino)
                                                 : std::pair<dev_t, ino_t>();
    // By what the file is, for links have many names. Only those that are being read count: to read
    // a file twice in a row is allowed.
    if (!open_.insert(identity).second) {
      return diagnostics_.error(line.value_at,
                                printable(path) + " includes itself, directly or by others");
    }
    if (diagnostics_.source_count() > kMostFiles) {
      diagnostics_.error(line.value_at,
                         "more than " + std::to_string(kMostFiles) + " files are included");
    } else if (auto text = config::read_text(path)) {
      if (looks_forgotten(path)) {
        diagnostics_.warning(line.value_at,
                             printable(path) + " is read, too, like every file of the folder",
                             "was it left behind?");
      }
      read_file(diagnostics_.add_source(std::make_unique<config::Source>(path, std::move(*text))));
    } else {
      diagnostics_.error(line.value_at, printable(path) + ": " + text.error().text);
    }
    open_.erase(identity);
  }

  config::Diagnostics& diagnostics_;
  config::Reader& reader_;
  std::deque<StunnelGiven> givens_;  // borrowed by the sections
  std::vector<StunnelWritten> sections_;
  std::set<std::pair<dev_t, ino_t>> open_;
  std::size_t total_ = 0;
};

}  // namespace

std::optional<config::Translation> read_stunnel(config::Diagnostics& diagnostics,
                                                config::Reader& reader, std::uint32_t file) {
  const config::Source& source = diagnostics.source(file);
  if (const auto toml = config::find_toml(source.text(), source.path())) {
    diagnostics.error(source.position(file, toml->offset), toml->text, toml->hint);
    return std::nullopt;
  }
  return StunnelReader(diagnostics, reader).read(file);
}

}  // namespace tunnel::import
