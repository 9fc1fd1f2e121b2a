// SPDX-License-Identifier: MIT
// What every codec needs while a tree becomes a model: where to report, what paths are relative to,
// and the few questions to the system (does the file open, who is that user, which addresses has
// that name). One per load, one thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "config/diagnostic.h"
#include "config/foreign.h"
#include "config/value.h"

namespace tunnel::config {

// The addresses of a name, by getaddrinfo: blocking, and with all that nsswitch has. Each once.
[[nodiscard]] Result<std::vector<SocketAddress>> look_up_host(const std::string& host);

struct Option;

// Whether loading may open files and look up users and names. `leave_alone` is for fuzzing, for
// printing what a text means on another machine, and for tests.
enum class System { use, leave_alone };

class Reader {
 public:
  Reader(Diagnostics& diagnostics, System system, const Foreign& foreign = {})
      : diagnostics_(diagnostics), system_(system), foreign_(foreign) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void error(const Value& at, std::string text, std::string hint = {}) {
    diagnostics_.error(at.position, std::move(text), std::move(hint));
  }
  void warning(const Value& at, std::string text, std::string hint = {}) {
    diagnostics_.warning(at.position, std::move(text), std::move(hint));
  }
  // Where there is an error by now: see Diagnostics::settle.
  void settle(const Value& at) {
    if (diagnostics_.has_error_at(at.position)) diagnostics_.settle(at.position);
  }
  // `"KEY" must be a boolean (true or false), not a string`
  void wrong_type(const Option& option, const Value& value);

  // Whose keys are being read: hints name its tables. Before the first service, one of the file's.
  void set_service(std::string name) { service_ = std::move(name); }
  [[nodiscard]] const std::string& service() const { return service_; }
  // Other programs' names, for hints.
  [[nodiscard]] const Foreign& foreign() const { return foreign_; }

  // Lists hold values, and [defaults] hold for every service: the product is bounded. False, with
  // an error, once the configuration as a whole asks for more than that.
  [[nodiscard]] bool spend(const Value& at, std::size_t values);
  [[nodiscard]] bool is_exhausted() const { return exhausted_ || diagnostics_.is_hopeless(); }

  [[nodiscard]] bool may_use_system() const { return system_ == System::use; }
  // Relative to the folder of the file in which the value is written.
  [[nodiscard]] std::string absolute(const Value& value, std::string_view path) const;
  // The same, unless it is a bare file name that the service manager holds as a credential of ours
  // (systemd's LoadCredential=): then that.
  [[nodiscard]] std::string credential_or_path(const Value& value, std::string_view path) const;
  enum class Folder { allowed, refused };
  void check_readable(const Value& value, const std::string& path, Folder folder);
  void check_executable(const Value& value, const std::string& path);
  // Every TCP address of a name, from /etc/hosts and DNS; asked once a name, ten seconds in all.
  [[nodiscard]] Result<std::vector<SocketAddress>> resolve(const std::string& host);

 private:
  Diagnostics& diagnostics_;
  const System system_;
  const Foreign foreign_;
  std::string service_ = "NAME";
  std::size_t spent_ = 0;
  bool exhausted_ = false;
  std::map<std::string, Result<std::vector<SocketAddress>>> resolved_;
  long long resolving_ms_ = 0;
};

// Text that may stand in a model: no control characters, not empty. Reports and says whether it is.
[[nodiscard]] bool is_plain(Reader& reader, const Option& option, const Value& value);

}  // namespace tunnel::config
