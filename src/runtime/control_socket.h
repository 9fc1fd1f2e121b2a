// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/file_owner.h"
#include "base/result.h"
#include "config/model.h"
#include "process/passed_sockets.h"
#include "runtime/socket_file.h"

namespace tunnel::runtime {

// The listening end of the control socket, and its file. Made before the identity changes and
// before there are threads; owned by run(), for as long as the process serves.
class ControlSocket {
 public:
  // Null without one: `control` is "off", or there is no default place, which `notice` says. Only a
  // place that the configuration names is an error when it cannot be had.
  struct Opened {
    std::unique_ptr<ControlSocket> socket;
    std::string notice;
  };
  // `config` is the file's path, `control` the key or the option that goes before it.
  static Result<Opened> open(const std::string& config, const std::string& control,
                             const FileOwner& owner, process::PassedSockets& passed);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] int fd() const { return socket_.get(); }
  // By which name the next process finds it.
  static constexpr const char* kKeptName = "tunnel-kept-control-socket";
  [[nodiscard]] bool is_passed() const {
    return !file_;
  }  // a socket unit's, with a name of its own
  // The file and its folder stay when this goes, or do not: those of a socket that was kept for us
  // stay until it is in use.
  void leave_file();
  void own_file();

 private:
  ControlSocket(Fd socket, std::optional<SocketFile> file, std::string folder)
      : socket_(std::move(socket)), file_(std::move(file)), folder_(std::move(folder)) {}
  static Result<Opened> adopt(const std::string& name, const process::PassedSockets& passed);
  static Result<std::unique_ptr<ControlSocket>> bind(const std::string& path,
                                                     const FileOwner& owner, std::string folder,
                                                     process::PassedSockets& passed);

  Fd socket_;
  std::optional<SocketFile> file_;
  const std::string folder_;  // ours to remove, if it is empty; or ""
  bool is_left_ = false;
};

}  // namespace tunnel::runtime
