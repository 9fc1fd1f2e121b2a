// SPDX-License-Identifier: MIT
#include "runtime/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "admin/control_path.h"
#include "base/address.h"
#include "base/text.h"

namespace tunnel::runtime {
namespace {

constexpr int kBacklog = 16;

// Whether the folder is there and nobody else could have put the socket into it.
Result<void> make_folder(const std::string& folder, const FileOwner& owner) {
  // A user who could put a socket of theirs here would get the requests of root's own `tunnel`
  // commands.
  const bool is_new = ::mkdir(folder.c_str(), 0700) == 0;
  if (!is_new && errno != EEXIST) {
    return failed(ErrorCode::permission, "cannot make " + printable(folder, 4096), errno);
  }
  struct stat status {};
  // lstat: a symbolic link in the folder's place leads where its owner likes, and that may change.
  if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return failed(ErrorCode::invalid, printable(folder, 4096) + " is not a folder");
  }
  if (status.st_uid != ::geteuid() && status.st_uid != owner.uid) {
    return failed(ErrorCode::permission, printable(folder, 4096) + " belongs to another user");
  }
  if ((status.st_mode & 022U) != 0) {
    return failed(ErrorCode::permission, printable(folder, 4096) + " can be written to by others");
  }
  if (is_new && owner.uid && *owner.uid != ::geteuid()) {
    // The process is going to be this user when it removes the socket.
    [[maybe_unused]] const int done =
        ::lchown(folder.c_str(), *owner.uid, owner.gid.value_or(static_cast<gid_t>(-1)));
  }
  return {};
}

}  // namespace

Result<ControlSocket::Opened> ControlSocket::open(const std::string& config,
                                                  const std::string& control,
                                                  const FileOwner& owner,
                                                  process::PassedSockets& passed) {
  if (control == "off") return Opened{};
  if (control.starts_with("fd:")) return adopt(control.substr(3), passed);
  if (!control.empty()) {
    auto bound = bind(control, owner, "", passed);
    if (!bound) return tl::unexpected(std::move(bound.error()).in("control socket"));
    return Opened{std::move(*bound), ""};
  }
  auto path = admin::control_path(config, admin::ControlSurroundings::of_process());
  // The process that is replaced may have been another user when it chose the place.
  const auto* handed = passed.is_upgrade() ? passed.find_kept(kKeptName) : nullptr;
  if (handed != nullptr && (!path || path->socket != handed->address.to_string())) {
    path = admin::ControlPath{handed->address.to_string(), ""};
  }
  if (!path) {
    return Opened{nullptr,
                  "no control socket: there is no XDG_RUNTIME_DIR to put it into; set `control`"};
  }
  if (!path->folder.empty()) {
    if (const auto made = make_folder(path->folder, owner); !made) {
      return Opened{nullptr, "no control socket: " + made.error().text + "; set `control`"};
    }
  }
  auto bound = bind(path->socket, owner, path->folder, passed);
  if (!bound) {
    return Opened{nullptr, "no control socket: " + bound.error().text + "; set `control`"};
  }
  return Opened{std::move(*bound), ""};
}

// Who may use it is decided by the credentials of the client, which TCP does not have.
Result<ControlSocket::Opened> ControlSocket::adopt(const std::string& name,
                                                   const process::PassedSockets& passed) {
  for (const SocketAddress& address : passed.addresses_of(name)) {
    if (!address.is_unix()) break;
    return Opened{std::unique_ptr<ControlSocket>(
                      new ControlSocket(passed.copy(name, address), std::nullopt, "")),
                  ""};
  }
  return failed(ErrorCode::invalid,
                "control socket: " + in_quotes("fd:" + name) + " is not a unix socket");
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::bind(const std::string& path,
                                                           const FileOwner& owner,
                                                           std::string folder,
                                                           process::PassedSockets& passed) {
  const auto address = SocketAddress::unix_path(path);
  if (!address) return tl::unexpected(address.error());
  // The mode is the first lock; the server looks at each client's credentials as well.
  const SocketFile::Wish wish{.path = path, .mode = 0600, .owner = owner};
  std::unique_ptr<ControlSocket> control;
  const auto* kept = passed.find_kept(kKeptName);
  if (kept != nullptr && kept->address == *address) {
    if (auto file = SocketFile::adopt(wish); file) {
      control.reset(new ControlSocket(passed.take_kept(kKeptName), std::move(*file), folder));
      // Until this process serves, an earlier one may: a start that fails must not take the folder
      // away.
      control->is_left_ = true;
    }
  }
  if (!control) {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return failed(ErrorCode::system, "cannot make a socket", errno);
    auto file = SocketFile::bind(socket.get(), *address, wish);
    if (!file) return tl::unexpected(std::move(file.error()).in(printable(path, 4096)));
    if (::listen(socket.get(), kBacklog) != 0) return failed(ErrorCode::system, "listen", errno);
    control.reset(new ControlSocket(std::move(socket), std::move(*file), std::move(folder)));
  }
  return control;
}

void ControlSocket::leave_file() {
  is_left_ = true;
  if (file_) file_->leave();
}

void ControlSocket::own_file() {
  is_left_ = false;
  if (file_) file_->own();
}

ControlSocket::~ControlSocket() {
  file_.reset();
  // Fails while something else is in it, and that is right.
  if (!folder_.empty() && !is_left_) (void)::rmdir(folder_.c_str());
}

}  // namespace tunnel::runtime
