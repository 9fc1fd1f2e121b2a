// SPDX-License-Identifier: MIT
#include "runtime/run.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "process/daemon.h"
#include "process/passed_sockets.h"
#include "process/program.h"
#include "runtime/exit_status.h"
#include "runtime/loader.h"
#include "runtime/snapshot.h"
#include "runtime/start_voice.h"
#include "runtime/startup.h"
#include "runtime/stdio_client.h"

namespace tunnel::runtime {
namespace {

bool is_on_stdio(const config::Config& config) {
  for (const config::Service& service : config.services) {
    for (const config::Accept& accept : service.accept) {
      if (accept.form == config::Accept::Form::stdio) return true;
    }
  }
  return false;
}

// As process 1, in a container: nothing else would be left to wait for.
config::Document settled(config::Document document) {
  if (::getpid() == 1) document.config.global.foreground = true;
  return document;
}

// In the daemon, its readiness; else the exit status of the process that was called.
tl::expected<process::Readiness, int> become_daemon(const config::Config& config) {
  if (const std::string parent = process::supervising_parent(); !parent.empty()) {
    warn(parent +
         " has started this process and waits for it to stay, but it becomes a daemon; "
         "set foreground = true in " +
         printable(config.path, 4096) + ", or start it with --foreground");
  }
  auto daemonized = process::daemonize();
  if (!daemonized) {
    say(daemonized.error().text);
    return tl::unexpected(kRunTimeError);
  }
  if (daemonized->exit_status) return tl::unexpected(*daemonized->exit_status);
  return std::move(daemonized->readiness);
}

int serve(Loader& loader, const Start& start) {
  Startup startup(loader, start);
  const int status = startup.load();
  return status != 0 ? status : startup.commit();
}

}  // namespace

std::vector<std::string> check_credentials(config::Document& document) {
  Prepared prepared = prepare(document.config, tls::Context::Purpose::check);
  report(document, prepared.problems);
  std::vector<std::string> warnings;
  for (const Warning& warning : prepared.warnings) warnings.push_back(warning.line());
  return warnings;
}

// In this order: what was passed is taken first, because LISTEN_PID is that of the process that was
// started, and a daemon is another; then the process becomes what it is to be, before anything is
// loaded or bound.
int run(config::Document document, std::function<config::Document()> read_again, int ready_fd) {
  auto passed = process::PassedSockets::take();
  if (!passed) {
    say(passed.error().text);
    return kRunTimeError;
  }
  Loader loader(
      settled(std::move(document)),
      [read_again = std::move(read_again)] { return settled(read_again()); }, *passed);
  const config::Config& config = loader.config();
  process::Readiness readiness;
  std::unique_ptr<StdioClient> stdio;
  // Before a daemon changes its folder.
  Start start{
      .passed = *passed, .readiness = readiness, .program = process::Program::of_this_process()};
  if (is_on_stdio(config)) {
    auto taken = StdioClient::take();
    if (!taken) {
      say(taken.error().text);
      return kRunTimeError;
    }
    stdio = std::move(*taken);
    start.stdio = stdio.get();
  } else if (passed->is_upgrade()) {
    process::Readiness::Predecessor predecessor{
        .ready = passed->take_handed(process::kHandedReady),
        .standard_error = passed->take_handed(process::kHandedStderr),
        .is_daemon = !config.global.foreground};
    start.standard_error = predecessor.standard_error.get();
    readiness = process::Readiness(std::move(predecessor));
  } else if (!config.global.foreground) {
    auto daemon = become_daemon(config);
    if (!daemon) return daemon.error();
    readiness = std::move(*daemon);
  }
  if (ready_fd >= 0) readiness.also_tell(ready_fd);
  const int status = serve(loader, start);
  // Does nothing once ready() was said.
  if (status != 0) readiness.failed("", status);
  return status;
}

}  // namespace tunnel::runtime
