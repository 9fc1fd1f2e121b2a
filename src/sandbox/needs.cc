// SPDX-License-Identifier: MIT
#include "sandbox/needs.h"

#include <utility>

namespace tunnel::sandbox {
namespace {

constexpr Rights kRead{.read = true};
constexpr Rights kLog{.write = true, .make_file = true};
constexpr Rights kSocket{.make_socket = true, .remove_file = true};
// A ring: new files are made, the oldest removed.
constexpr Rights kRing{.read = true, .write = true, .make_file = true, .remove_file = true};
// It is open already, and written; it goes at the end.
constexpr Rights kPidFile{.remove_file = true};
constexpr std::uint16_t kDns = 53;

bool is_token(const std::string& place) { return place.starts_with("pkcs11:"); }

// Goes through a configuration once, and writes down what each of its values will need at any time
// while the process runs: to open files again after a rotation or a renewal, to remove sockets at
// the end. What is open already and stays so is not asked for.
class Collection {
 public:
  explicit Collection(const std::vector<std::string>& trust_files) : trust_files_(trust_files) {}

  void add(const config::Global& global) {
    for (const std::string& log : global.log_file) {
      if (log.starts_with('/')) needs_.files[log].add(kLog);
    }
    if (!global.pid_file.empty()) needs_.files[global.pid_file].add(kPidFile);
    if (global.control.starts_with('/')) needs_.files[global.control].add(kSocket);
    for (const config::Accept& status : global.status) add(status);
    // Long answers come over TCP.
    if (global.dns_servers.empty()) needs_.connect_ports.insert(kDns);
    for (const SocketAddress& server : global.dns_servers) {
      needs_.connect_ports.insert(server.port());
    }
  }

  void add(const config::Service& service) {
    for (const config::Accept& accept : service.accept) add(accept);
    for (const auto& group : service.connect) {
      for (const config::Target& target : group) add(service, target);
    }
    for (const config::Proxy& proxy : service.proxies) needs_.connect_ports.insert(proxy.port);
    // The source port is the kernel's to choose.
    if (service.bind) needs_.bind_ports.insert(0);
    if (!service.exec.empty()) needs_.exec_services.push_back(service.name);
    // One note for a service, however many of its tables name a token.
    has_token_ = false;
    if (service.tls) add(*service.tls);
    if (service.health.tls) add(*service.health.tls);
    if (has_token_) needs_.token_services.push_back(service.name);
    if (service.capture) needs_.files[service.capture->file].add(kRing);
  }

  Needs take() { return std::move(needs_); }

 private:
  void add(const config::Accept& accept) {
    using Form = config::Accept::Form;
    if (accept.form == Form::tcp) needs_.bind_ports.insert(accept.address.port());
    const bool has_file = accept.form == Form::unix_socket && accept.text.starts_with('/');
    if (has_file) needs_.files[accept.text].add(kSocket);
  }

  void add(const config::Service& service, const config::Target& target) {
    using Form = config::Target::Form;
    switch (target.form) {
      case Form::ip:
      case Form::name:
        // Through a proxy it is not we who connect to it.
        if (service.proxies.empty()) needs_.connect_ports.insert(target.port);
        break;
      case Form::unix_socket:
        // Connecting to one is not the sandbox's to judge, unless it has no file.
        needs_.has_abstract_targets = needs_.has_abstract_targets || target.host.starts_with('@');
        break;
      case Form::srv:
        if (!service.proxies.empty()) break;
        if (needs_.srv_services.empty() || needs_.srv_services.back() != service.name) {
          needs_.srv_services.push_back(service.name);
        }
        break;
    }
  }

  void add(const config::Tls& tls) {
    using config::Verify;
    if (tls.ca.empty() && (tls.verify == Verify::full || tls.verify == Verify::chain)) {
      add(trust_files_);
    }
    add(tls.ca);
    add(tls.peer_certs);
    add(tls.crl);
    for (const std::string& path : {tls.cert, tls.key, tls.key_password_file, tls.psk_file}) {
      add_readable(path);
    }
    if (!tls.keylog.empty()) needs_.files[tls.keylog].add(kLog);
  }

  void add(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) add_readable(path);
  }

  void add_readable(const std::string& path) {
    if (is_token(path)) {
      has_token_ = true;
    } else if (!path.empty()) {
      needs_.files[path].add(kRead);
    }
  }

  const std::vector<std::string>& trust_files_;
  Needs needs_;
  bool has_token_ = false;
};

}  // namespace

bool Rights::cover(const Rights& other) const {
  return (read || !other.read) && (write || !other.write) && (make_file || !other.make_file) &&
         (make_socket || !other.make_socket) && (remove_file || !other.remove_file) &&
         (remove_folder || !other.remove_folder);
}

void Rights::add(const Rights& other) {
  read = read || other.read;
  write = write || other.write;
  make_file = make_file || other.make_file;
  make_socket = make_socket || other.make_socket;
  remove_file = remove_file || other.remove_file;
  remove_folder = remove_folder || other.remove_folder;
}

Needs needs_of(const config::Config& config, const std::vector<std::string>& trust_files) {
  Collection collection(trust_files);
  collection.add(config.global);
  for (const config::Service& service : config.services) collection.add(service);
  return collection.take();
}

}  // namespace tunnel::sandbox
