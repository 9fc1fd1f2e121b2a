// SPDX-License-Identifier: MIT
// What a stunnel.conf says about the process: where it logs, and who it is.
#include <array>

#include "base/text.h"
#include "import/stunnel_options.h"
#include "import/stunnel_service.h"

namespace tunnel::import {
namespace {

struct SyslogLevel {
  std::string_view word;
  std::string_view level;
};
// In the order of syslog's numbers, which `debug` takes as well.
constexpr auto kLevels = std::to_array<SyslogLevel>({
    {"emerg", "error"},
    {"alert", "error"},
    {"crit", "error"},
    {"err", "error"},
    {"warning", "warning"},
    {"notice", "info"},
    {"info", "info"},
    {"debug", "debug"},
});

constexpr std::string_view kFacilities =
    "auth|authpriv|cron|daemon|ftp|kern|lpr|mail|news|syslog|user|uucp|local0|local1|local2|local3|"
    "local4|local5|local6|local7";

// As yes or no; `standard` when it is not given.
bool is_on(const StunnelGiven* given, bool standard) {
  return given == nullptr ? standard : !is_one_of(given->value, "no");
}

class GlobalsConversion {
 public:
  GlobalsConversion(StunnelReport& report, const StunnelSection& globals, StunnelTree& tree)
      : report_(report), globals_(globals), tree_(tree) {}

  void run() {
    if (is_on(globals_.foreground, false)) {
      tree_.set("foreground", flag_at(globals_.foreground->value_at, true));
    }
    convert_level();
    convert_log();
    if (const StunnelGiven* pid = globals_.pid) {
      tree_.set("pid_file", text_at(pid->value_at, inside_root(pid->value)));
    }
    if (globals_.service != nullptr) {
      report_.warning(
          globals_.service->name_at,
          "\"service\" has no effect before the first section: lines in syslog are from "
          "\"tunnel\"");
    }
    copy("user", globals_.setuid);
    copy("group", globals_.setgid);
  }

 private:
  void copy(const char* key, const StunnelGiven* given) {
    if (given != nullptr) tree_.set(key, text_at(given->value_at, given->value));
  }

  // The pid file is written inside of the new root.
  [[nodiscard]] std::string inside_root(const std::string& path) const {
    if (globals_.chroot == nullptr) return stunnel_path(path);
    std::string root = stunnel_path(globals_.chroot->value);
    while (root.ends_with('/')) root.pop_back();
    return root + (path.starts_with('/') ? "" : "/") + path;
  }

  void convert_level() {
    const StunnelGiven* debug = globals_.debug;
    if (debug == nullptr) return;
    std::string_view word = debug->value;
    if (const std::size_t dot = word.find('.'); dot != std::string_view::npos) {
      const std::string_view facility = word.substr(0, dot);
      if (!is_one_of(facility, kFacilities)) {
        return report_.error(debug->value_at,
                             "\"" + printable(facility, 40) + "\" is not a facility of syslog");
      }
      if (!equal_ignoring_case(facility, "daemon")) {
        report_.warning(debug->value_at,
                        "lines in syslog are of facility daemon, not " + printable(facility, 40));
      }
      word.remove_prefix(dot + 1);
    }
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
      if (!equal_ignoring_case(word, kLevels[i].word) && word != std::to_string(i)) continue;
      return tree_.set("log_level", text_at(debug->value_at, std::string(kLevels[i].level)));
    }
    report_.error(debug->value_at, "\"" + printable(word, 40) + "\" is not a level",
                  "0 to 7, or emerg, alert, crit, err, warning, notice, info or debug");
  }

  // stunnel logs to syslog unless it is told not to, to `output`, and in the foreground to standard
  // error, all at once. Here a file takes the place of syslog.
  void convert_log() {
    const bool is_quiet =
        globals_.foreground != nullptr && equal_ignoring_case(globals_.foreground->value, "quiet");
    const bool is_daemon = !is_on(globals_.foreground, false);
    const bool has_syslog = is_on(globals_.syslog, true);
    if (const StunnelGiven* output = globals_.output) {
      config::Value file = text_at(output->value_at, stunnel_path(output->value));
      // stunnel in the foreground logs to both.
      const bool is_watched = !is_daemon && !is_quiet;
      tree_.set("log_file", !is_watched
                                ? std::move(file)
                                : list_at(output->value_at,
                                          {std::move(file), text_at(output->value_at, "stderr")}));
    } else if ((is_quiet || is_daemon) && !has_syslog) {
      // Nobody wants to hear.
      tree_.set("log_file", text_at(globals_.syslog->value_at, "/dev/null"));
    } else if (is_quiet) {
      tree_.set("log_file", text_at(globals_.foreground->value_at, "syslog"));
    }
  }

  StunnelReport& report_;
  const StunnelSection& globals_;
  StunnelTree& tree_;
};

}  // namespace

void convert_stunnel_globals(StunnelReport& report, const StunnelSection& globals,
                             StunnelTree& tree) {
  GlobalsConversion(report, globals, tree).run();
}

}  // namespace tunnel::import
