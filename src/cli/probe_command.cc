// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "capture/single_file.h"
#include "cli/command.h"
#include "cli/validators.h"
#include "import/load.h"
#include "probe/json.h"
#include "probe/nagios.h"
#include "probe/text.h"

namespace tunnel::cli {
namespace {

constexpr unsigned kMostRounds = 10'000;

// Each chain that a server has sent, once, as it was sent.
Result<void> save_chains(const probe::Report& report, const std::string& path) {
  // std::ofstream knows only that it has failed. What errno holds then is of the call that failed,
  // if any did.
  errno = 0;
  std::ofstream file(path, std::ios::trunc);
  std::set<std::string> saved;
  for (const probe::ServiceReport& service : report.services) {
    for (const probe::TargetReport& target : service.targets) {
      for (const probe::AddressReport& address : target.addresses) {
        if (!address.certificates) continue;
        for (const x509::CertificateFacts& certificate : address.certificates->shown) {
          if (!saved.insert(certificate.der).second) continue;
          file << "# " << printable(certificate.subject) << ", from " << target.target << "\n"
               << x509::pem_of(certificate);
        }
      }
    }
  }
  file.flush();
  if (!file) {
    return failed(ErrorCode::system,
                  "cannot write " + path + ": " + std::generic_category().message(errno));
  }
  return {};
}

// The last line of a terminal, while something is under way.
class ProgressLine {
 public:
  void show(const std::string& text) {
    erase();
    (void)std::fputs(text.c_str(), stdout);
    (void)std::fflush(stdout);
    shown_ = text.size();
  }
  // By spaces: every terminal knows them.
  void erase() {
    if (shown_ == 0) return;
    (void)std::fputs(("\r" + std::string(std::exchange(shown_, 0), ' ') + "\r").c_str(), stdout);
    (void)std::fflush(stdout);
  }

 private:
  std::size_t shown_ = 0;
};

class ProbeCommand final : public Command {
 public:
  ProbeCommand()
      : Command("probe",
                "dial every target once; show phases, timings, certificates, and what to change") {}

  void declare(CLI::App& app) override {
    add_config(app, config_);
    app.add_option("SERVICE", options_.services, "the services to probe; without: all")
        ->type_name("");
    app.add_flag("--json", is_json_, "print it as JSON");
    app.add_flag("--nagios", is_nagios_, "be a monitoring plugin: its line, its exit status");
    app.add_option("-w", limits_.warning, "with --nagios: WARNING below so many days (30)")
        ->type_name("DAYS");
    app.add_option("-c", limits_.critical, "with --nagios: CRITICAL below so many days (7)")
        ->type_name("DAYS");
    app.add_option_function<std::string>(
           "--timeout",
           [this](const std::string& text) { options_.timeout = *parse_duration(text); },
           "of each target (10s)")
        ->type_name("DURATION")
        ->transform(to_duration_above_zero());
    app.add_option("--target", options_.target, "this target only, as the file names it")
        ->type_name("NAME");
    app.add_flag("-4", is_ipv4_, "IPv4 addresses only");
    app.add_flag("-6", is_ipv6_, "IPv6 addresses only");
    app.add_option("--repeat", options_.rounds, "visit so often: minimum, mean and maximum")
        ->type_name("N")
        ->check(CLI::Range(1U, kMostRounds, "1 to 10000"));
    app.add_option("--save-chain", save_chain_, "the certificates that were sent, as PEM")
        ->type_name("FILE");
    app.add_option("--capture", capture_, "what goes over the network, with its keys, as pcapng")
        ->type_name("FILE");
    app.add_option("--keylog", options_.keylog, "the secrets of the sessions, for Wireshark")
        ->type_name("FILE");
  }

  std::string check() const override {
    if (is_json_ && is_nagios_) return "--json and --nagios do not go together";
    if (is_ipv4_ && is_ipv6_) return "-4 and -6 do not go together; without them both are probed";
    return "";
  }

  Outcome run(const CommonOptions&, const Machinery& machinery) override {
    config::Document document = import::load(config_);
    if (document.has_errors()) return broken(document);
    if (const std::string unknown = unknown_service(document.config); !unknown.empty()) {
      return useless(unknown);
    }
    options_.family = is_ipv4_ ? AF_INET : is_ipv6_ ? AF_INET6 : AF_UNSPEC;
    const bool is_live = !is_json_ && !is_nagios_ && ::isatty(STDOUT_FILENO) == 1;
    ProgressLine progress;
    if (is_live) {
      options_.on_target = [&](const std::string& service, const probe::TargetReport& target) {
        progress.erase();
        (void)std::fputs(probe::to_text(service, target, std::time(nullptr)).c_str(), stdout);
        (void)std::fflush(stdout);
      };
      options_.on_progress = [&](std::size_t over, std::size_t known) {
        progress.show("probing: " + std::to_string(over) + " of " + std::to_string(known) +
                      " addresses visited");
      };
    }
    if (!capture_.empty()) {
      if (const auto begun = begin_capture(); !begun) {
        return {kFailed, "", "tunnel: " + begun.error().text + "\n"};
      }
    }
    const auto report = machinery.probe(document, options_);
    progress.erase();
    // Waits for the last packets: the process ends soon.
    if (options_.capture) options_.capture->finish();
    if (!report) return broken(document);
    if (const std::string nothing = nothing_found(*report); !nothing.empty()) {
      return useless(nothing);
    }
    Outcome outcome = printed(*report, is_live);
    if (!save_chain_.empty()) {
      if (const auto saved = save_chains(*report, save_chain_); !saved) {
        outcome.err += "tunnel: " + saved.error().text + "\n";
        if (outcome.status == 0) outcome.status = kFailed;
      }
    }
    return outcome;
  }

 private:
  Result<void> begin_capture() {
    auto file = capture::SingleFile::open(capture_);
    if (!file) return tl::unexpected(file.error());
    config::Capture what;
    what.layer = config::CaptureLayer::wire;
    options_.capture = std::make_shared<capture::Recording>(
        capture::Recording::Settings{.id = 1,
                                     .what = std::move(what),
                                     .services = {},
                                     .by = "tunnel probe",
                                     .to = capture_,
                                     .program = "tunnel " TUNNEL_VERSION},
        capture::Recording::Events{.on_over =
                                       [](std::uint64_t, const std::string& why) {
                                         if (why.empty()) return;
                                         (void)std::fprintf(stderr, "tunnel: warning: %s\n",
                                                            why.c_str());
                                       },
                                   .on_dropping = [](std::uint64_t) {}});
    return options_.capture->start(std::move(*file));
  }

  [[nodiscard]] Outcome printed(const probe::Report& report, bool is_live) const {
    const int status = report.is_usable() ? 0 : kFailed;
    if (is_json_) return {status, probe::to_json(report), ""};
    if (is_nagios_) {
      probe::PluginResult result = probe::to_nagios(report, limits_);
      return {result.status, std::move(result.text), ""};
    }
    // Live, the targets have been printed as they came.
    return {status, is_live ? probe::last_line(report) : probe::to_text(report), ""};
  }

  // A monitoring plugin has a status of its own for this, and says it on standard output.
  [[nodiscard]] Outcome broken(const config::Document& document) const {
    if (!is_nagios_) return {kMisused, "", document.render()};
    Outcome outcome = unknown_to_monitoring(config_ + " has errors; see tunnel check " + config_);
    outcome.err = document.render();
    return outcome;
  }
  [[nodiscard]] Outcome useless(const std::string& why) const {
    return is_nagios_ ? unknown_to_monitoring(why) : misused(why);
  }

  [[nodiscard]] std::string unknown_service(const config::Config& config) const {
    std::vector<std::string_view> names;
    for (const config::Service& service : config.services) names.push_back(service.name);
    for (const std::string& wanted : options_.services) {
      if (std::ranges::find(names, wanted) != names.end()) continue;
      const std::string_view meant = did_you_mean(wanted, names);
      return "there is no service " + in_quotes(wanted) + " in " + config_ +
             (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?");
    }
    return "";
  }

  [[nodiscard]] std::string nothing_found(const probe::Report& report) const {
    const bool has_any = std::ranges::any_of(
        report.services,
        [](const probe::ServiceReport& service) { return !service.targets.empty(); });
    if (has_any) return "";
    if (!options_.target.empty()) {
      return "no target is called " + in_quotes(options_.target) +
             (is_ipv4_ || is_ipv6_ ? " and has an address of that family" : "");
    }
    return "there is no target with an address of that family";
  }

  std::string config_;
  probe::Options options_;
  probe::DayLimits limits_;
  std::string capture_;
  std::string save_chain_;
  bool is_json_ = false;
  bool is_nagios_ = false;
  bool is_ipv4_ = false;
  bool is_ipv6_ = false;
};

}  // namespace

std::unique_ptr<Command> make_probe_command() { return std::make_unique<ProbeCommand>(); }

}  // namespace tunnel::cli
