// SPDX-License-Identifier: MIT
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "sandbox/landlock.h"
#include "sandbox/system_calls.h"

namespace tunnel::sandbox {
namespace {

// A sanitizer looks into the process from another one, and runs a program to name addresses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsInstrumented = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsInstrumented = true;
#else
constexpr bool kIsInstrumented = false;
#endif
#else
constexpr bool kIsInstrumented = false;
#endif

constexpr const char* kOwnFiles = "/proc/self";

// What the C library, GnuTLS and c-ares read while the process runs. Files in /etc are replaced by
// renaming, so it is the whole folder; who may read what there is still the files' modes to say.
constexpr const char* kReadable[] = {
    "/etc/resolv.conf",  // often a link into /run
    "/etc/hosts",
    "/etc/localtime",
    "/usr/share/zoneinfo/UTC",
    "/etc/crypto-policies/back-ends/gnutls.config",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/dev/urandom",
    "/dev/random",
};

// Where /etc/resolv.conf leads as a rule, perhaps only later than this process starts.
constexpr const char* kResolvers[] = {"/run/systemd/resolve", "/run/NetworkManager",
                                      "/run/resolvconf"};

Needs with_system(Needs needs) {
  for (const char* path : kReadable) needs.files[path].add({.read = true});
  for (const char* folder : kResolvers) needs.folders[folder].add({.read = true});
  needs.files["/dev/null"].add({.read = true, .write = true});
  return needs;
}

std::size_t count_threads() {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

std::string names(const std::vector<std::string>& services) {
  std::string text;
  for (const std::string& service : services) {
    text += (text.empty() ? "[" : ", [") + printable(service) + "]";
  }
  return text;
}

std::string programs_of(const Needs& needs) {
  return names(needs.exec_services) + " runs a program (exec), which would inherit it";
}

std::string modules_of(const Needs& needs) {
  return names(needs.token_services) + " uses a PKCS#11 module, whose needs are not known";
}

// Gives up one part after another, and notes what came of each.
class Entering {
 public:
  Entering(const Needs& needs, const Sandbox::Settings& settings, Rules& rules, Report& report)
      : needs_(needs), settings_(settings), rules_(rules), report_(report) {}

  // In the order of what they take: a program that is to be run, or a module, ends this where it
  // could no longer work, and what came before stays in force. Landlock and the filter want "no new
  // privileges" before them (EPERM otherwise, except with CAP_SYS_ADMIN). The filter comes last: it
  // lets none of the calls of the other parts through.
  void run() {
    if (kIsInstrumented) {
      return leave_out(kAll, Report::Why::impossible, "the program was built with a sanitizer");
    }
    ::tzset();  // reads what it needs once and for all
    // Not inherited by a program: execve(2) makes a process dumpable again. All other parts are.
    note(Part::not_dumpable, call(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)));
    if (!needs_.exec_services.empty()) {
      return leave_out(kInherited, Report::Why::chosen, programs_of(needs_));
    }
    note(Part::no_core, forbid_core());
    note(Part::no_new_privileges, call(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)));
    if (!needs_.token_services.empty()) {
      return leave_out(kWalls, Report::Why::chosen, modules_of(needs_));
    }
    use_landlock();
    note(Part::system_calls, restrict_system_calls());
  }

 private:
  static Result<void> call(int result) {
    if (result == 0) return {};
    return failed(ErrorCode::unavailable, "the kernel refuses it", errno);
  }

  static Result<void> forbid_core() {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    return call(::setrlimit(RLIMIT_CORE, &none));
  }

  void use_landlock() {
    const int version = landlock_version();
    if (version == 0) {
      return leave_out_landlock("this kernel has no Landlock, or does not enable it");
    }
    // It holds for this thread and those that it starts.
    if (const std::size_t threads = count_threads(); threads != 1) {
      return leave_out_landlock("a library has started " + count_of(threads - 1, "thread"));
    }
    // The rules are kept as they were when the process entered: a reload is compared with them, for
    // the kernel cannot be asked what it allows.
    rules_ = rules_for(with_system(needs_));
    std::error_code error;
    const auto own = std::filesystem::canonical(kOwnFiles, error);
    if (!error) rules_.places.push_back({own.string(), {.read = true}});
    limit_ports(version);
    rules_.keeps_abstract_sockets = version >= kLandlockScopes &&
                                    settings_.keeps_abstract_sockets &&
                                    !needs_.has_abstract_targets;
    const auto done = restrict_by_landlock(rules_, version);
    if (!done) return leave_out_landlock(done.error().text);
    report_.in_force.push_back(Part::files);
    if (rules_.connect_ports) report_.in_force.push_back(Part::connect_ports);
    if (rules_.bind_ports) report_.in_force.push_back(Part::bind_ports);
  }

  // `require` does not insist on ports: kernels before Linux 6.7 cannot limit them.
  void leave_out_landlock(const std::string& why) {
    leave_out({Part::files}, Report::Why::impossible, why);
    leave_out(kPorts, Report::Why::chosen, why);
  }

  // A reload may bring a new port as easily as a new target: only who asks for a strict sandbox
  // has to restart for it.
  void limit_ports(int version) {
    using Why = Report::Why;
    if (settings_.mode != config::Sandbox::require) {
      return leave_out(kPorts, Why::chosen,
                       "a reload may bring others (sandbox = \"require\" limits them)");
    }
    if (version < kLandlockPorts) {
      return leave_out(kPorts, Why::chosen,
                       "this kernel's Landlock knows files only (ports from Linux 6.7 on)");
    }
    rules_.bind_ports = needs_.bind_ports;
    if (!needs_.srv_services.empty()) {
      return leave_out({Part::connect_ports}, Why::chosen,
                       "DNS decides about those of " + names(needs_.srv_services));
    }
    rules_.connect_ports = needs_.connect_ports;
  }

  void note(Part part, const Result<void>& done) {
    if (done) return report_.in_force.push_back(part);
    leave_out({part}, Report::Why::impossible, done.error().text);
  }

  void leave_out(const std::vector<Part>& parts, Report::Why why, const std::string& text) {
    for (const Part part : parts) report_.absent.push_back({part, why, text});
  }

  inline static const std::vector<Part> kPorts{Part::connect_ports, Part::bind_ports};
  inline static const std::vector<Part> kWalls{Part::files, Part::connect_ports, Part::bind_ports,
                                               Part::system_calls};
  // By the programs that the process runs.
  inline static const std::vector<Part> kInherited{
      Part::files,        Part::connect_ports,     Part::bind_ports,
      Part::system_calls, Part::no_new_privileges, Part::no_core};
  inline static const std::vector<Part> kAll{
      Part::files,        Part::connect_ports,     Part::bind_ports,
      Part::system_calls, Part::no_new_privileges, Part::not_dumpable,
      Part::no_core};

  const Needs& needs_;
  const Sandbox::Settings& settings_;
  Rules& rules_;
  Report& report_;
};

}  // namespace

bool keeps_programs_out(const Needs& needs, config::Sandbox mode) {
  return mode != config::Sandbox::off && !kIsInstrumented && needs.exec_services.empty() &&
         needs.token_services.empty();
}

Sandbox Sandbox::enter(const Needs& needs, const Settings& settings) {
  Sandbox sandbox;
  sandbox.report_.mode = settings.mode;
  if (settings.mode == config::Sandbox::off) return sandbox;
  sandbox.own_proc_ = Fd(::open(kOwnFiles, O_PATH | O_CLOEXEC));
  Entering(needs, settings, sandbox.rules_, sandbox.report_).run();
  return sandbox;
}

std::string Sandbox::failure() const {
  if (report_.mode != config::Sandbox::require) return {};
  std::vector<std::string> missing;
  for (const Report::Absent& absent : report_.absent) {
    // What the configuration gives up by itself, or what `require` does not insist on, is not
    // missing.
    if (absent.why != Report::Why::impossible) continue;
    missing.push_back(std::string(phrase(absent.part)) + ": " + absent.text);
  }
  if (missing.empty()) return {};
  return "sandbox = \"require\", but it lacks " + enumerated(missing, ", ") +
         "; set sandbox = \"auto\" to start with what there is";
}

std::string Sandbox::refusal(const Needs& needs) const {
  std::vector<std::string> forbidden;
  if (report_.has(Part::files)) forbidden = rules_.forbid(needs);
  // What was entered without a program in sight would be the program's, too, if it can run at all.
  if (report_.has(Part::no_new_privileges) && !needs.exec_services.empty()) {
    forbidden.push_back("the program that " + names(needs.exec_services) + " runs (exec)");
  }
  // Its module could not be loaded.
  const bool keeps_modules_out = report_.has(Part::files) || report_.has(Part::system_calls);
  if (keeps_modules_out && !needs.token_services.empty()) {
    forbidden.push_back("the PKCS#11 module of " + names(needs.token_services));
  }
  if (forbidden.empty()) return {};
  return "outside the sandbox of this process: " + enumerated(forbidden, ", ") +
         "; restart it to take the change over";
}

}  // namespace tunnel::sandbox
