// SPDX-License-Identifier: MIT
#include "import/stunnel_conversion.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "config/schema.h"
#include "import/stunnel_options.h"
#include "import/stunnel_service.h"
#include "import/stunnel_tree.h"

namespace tunnel::import {
namespace {

using Fate = StunnelOption::Fate;

// As long as the name of a service may be.
constexpr std::size_t kLongestName = 64;

class StunnelConversion {
 public:
  StunnelConversion(config::Diagnostics& diagnostics, config::Reader& reader,
                    const std::vector<StunnelWritten>& sections)
      : reader_(reader),
        sections_(sections),
        report_{diagnostics, reader, remarks_},
        tree_(sections.front().header) {
    // No service can have the name of a global key.
    for (const config::Option& option : config::rows<config::Global>()) names_.emplace(option.key);
    names_.emplace("defaults");
  }

  config::Translation run() && {
    convert_globals();
    if (sections_.size() == 1) convert_section(sections_.front(), StunnelMode::inetd);
    for (std::size_t i = 1; i < sections_.size() && !reader_.is_exhausted(); ++i) {
      convert_section(sections_[i], StunnelMode::daemon);
    }
    return {std::move(tree_).finish(), std::move(remarks_)};
  }

 private:
  // The options in the order in which they hold: those before the first section are defaults.
  StunnelSection collect(const StunnelWritten& written) const {
    StunnelSection section;
    section.name = written.name;
    section.header = written.header;
    const StunnelWritten& globals = sections_.front();
    // Under inetd the global part is the section. Applied twice, its lists would hold everything
    // twice.
    if (&written != &globals) apply(globals, section);
    apply(written, section);
    return section;
  }

  static void apply(const StunnelWritten& written, StunnelSection& section) {
    for (const StunnelGiven* given : written.givens) {
      if (given->option->apply != nullptr) given->option->apply(section, *given);
    }
  }

  void convert_globals() {
    const StunnelSection globals = collect(sections_.front());
    remark_ignored(sections_.front(), "");
    convert_stunnel_globals(report_, globals, tree_);
  }

  void convert_section(const StunnelWritten& written, StunnelMode mode) {
    // Every section takes all defaults over again: a file of many of both would ask for their
    // product.
    const config::Value at{written.header, {}};
    if (!reader_.spend(at, written.givens.size() + sections_.front().givens.size() + 1)) return;
    StunnelSection section = collect(written);
    section.name = name_for(written, section, mode);
    if (mode == StunnelMode::daemon) remark_ignored(written, section.name);
    tree_.add(section.name, convert_stunnel_service(report_, section, mode));
  }

  void remark_ignored(const StunnelWritten& written, const std::string& service) {
    for (const StunnelGiven* given : written.givens) {
      const StunnelOption& option = *given->option;
      if (option.fate != Fate::ignored || is_one_of(given->value, option.harmless)) continue;
      report_.remark(service, "",
                     std::string(option.name) + " = " + given->value +
                         " has no effect: " + std::string(option.why));
    }
  }

  // A name that is free and that a table can have: "ldap", "ldap-2".
  std::string name_for(const StunnelWritten& written, const StunnelSection& section,
                       StunnelMode mode) {
    // `service` before the first section names the process, not every service.
    const bool is_renamed =
        section.service != nullptr && !section.service->value.empty() &&
        (mode == StunnelMode::inetd || std::find(written.givens.begin(), written.givens.end(),
                                                 section.service) != written.givens.end());
    std::string name = printable(is_renamed ? section.service->value : written.name, kLongestName);
    if (name.empty()) name = mode == StunnelMode::inetd ? "stunnel" : "service";
    // Leaves room for the number.
    name.resize(std::min(name.size(), kLongestName - 8));
    const std::string base = name;
    for (int number = 2; !names_.insert(name).second; ++number) {
      name = base + "-" + std::to_string(number);
    }
    return name;
  }

  config::Reader& reader_;
  const std::vector<StunnelWritten>& sections_;
  std::set<std::string> names_;
  std::vector<config::Remark> remarks_;
  StunnelReport report_;
  StunnelTree tree_;
};

}  // namespace

config::Translation convert_stunnel(config::Diagnostics& diagnostics, config::Reader& reader,
                                    const std::vector<StunnelWritten>& sections) {
  return StunnelConversion(diagnostics, reader, sections).run();
}

}  // namespace tunnel::import
