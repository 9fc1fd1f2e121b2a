// SPDX-License-Identifier: MIT
#include "runtime/exec_clients.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/snapshot_index.h"

namespace tunnel::runtime {

void ExecClients::use(const Snapshot& snapshot, const std::vector<ServiceHandle>& services) {
  const SnapshotIndex now(&snapshot);
  for (const auto& [id, client] : clients_) {
    if (!now.has(id)) client->stop();
  }
  // One whose service has gone stays until its program and its connection have ended.
  std::erase_if(clients_,
                [&](const auto& each) { return !now.has(each.first) && each.second->is_over(); });
  for (const ServiceHandle& service : services) {
    const auto known = clients_.find(service.life->id);
    if (known == clients_.end()) {
      run(service);
    } else if (service.settings().exec.empty()) {
      // The service accepts clients now in place of its program.
      known->second->stop();
    } else {
      known->second->use(service);
    }
  }
}

void ExecClients::run(const ServiceHandle& service) {
  const std::string& program = service.settings().exec;
  if (program.empty()) return;
  // For the log and the policies: a program has no address.
  const auto path = SocketAddress::unix_path(program);
  const SocketAddress address = path ? *path : *SocketAddress::unix_path("exec");
  std::unique_ptr<ExecClient>& client = clients_[service.life->id];
  client = std::make_unique<ExecClient>(
      loop_, log_, service,
      ExecClient::Owner{[this, address](const ServiceHandle& handle, Fd socket) {
                          owner_.on_client(handle, std::move(socket), address);
                        },
                        [this] { owner_.on_over(); }});
  client->start();
}

void ExecClients::connection_gone(ServiceId service, ExecClient::Connection how) {
  if (const auto client = clients_.find(service); client != clients_.end()) {
    client->second->connection_gone(how);
  }
}

void ExecClients::stop(ServiceId service) {
  if (const auto client = clients_.find(service); client != clients_.end()) client->second->stop();
}

void ExecClients::stop_all() {
  for (const auto& [id, client] : clients_) client->stop();
}

void ExecClients::terminate_all() {
  for (const auto& [id, client] : clients_) client->terminate();
}

bool ExecClients::are_over() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& each) { return each.second->is_over(); });
}

}  // namespace tunnel::runtime
