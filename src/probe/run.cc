// SPDX-License-Identifier: MIT
#include "probe/run.h"

#include <signal.h>

#include <algorithm>

#include "probe/prober.h"
#include "process/limits.h"
#include "runtime/snapshot.h"

namespace tunnel::probe {
namespace {

// The chosen services, and nothing that would leave a trace: no key log but the probe's own, which
// belongs to who runs it.
config::Config chosen(config::Config config, const Options& options) {
  // The key log would be given to that user.
  config.global.user.clear();
  config.global.group.clear();
  std::erase_if(config.services, [&](const config::Service& service) {
    return !options.services.empty() &&
           std::ranges::find(options.services, service.name) == options.services.end();
  });
  for (config::Service& service : config.services) {
    for (std::optional<config::Tls>* tls : {&service.tls, &service.health.tls}) {
      if (*tls) (*tls)->keylog = options.keylog;
    }
  }
  return config;
}

}  // namespace

std::optional<Report> run(config::Document& document, const Options& options) {
  const config::Config config = chosen(document.config, options);
  // As for a run: only then a key log is opened.
  const runtime::Prepared prepared = runtime::prepare(config, tls::Context::Purpose::run);
  if (!prepared.snapshot) {
    runtime::report(document, prepared.problems);
    return std::nullopt;
  }
  // Prober::kAtOnce visits at a time may be more than the soft limit lets through.
  (void)process::raise_open_files();
  (void)::signal(SIGPIPE, SIG_IGN);
  return Prober(prepared.snapshot->global, prepared.snapshot->services, options).run();
}

}  // namespace tunnel::probe
