// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"

namespace tunnel::runtime {

// Standard input and output as one client. When both are the same stream socket (inetd) that socket
// is the client, as if it had been accepted. Anything else (pipes, files, a terminal) becomes one
// end of a socket pair, and a thread moves bytes between the other end and the two: a loop cannot
// wait for files, and a terminal or a pipe that others use, too, must not be made non-blocking.
// The thread holds at most one buffer a direction and reads only when that is empty.
//
// Owned by run(); main thread.
class StdioClient {
 public:
  // Takes the descriptors 0 and 1, in whose place comes /dev/null; and 2, if that is the client's
  // socket, too.
  static Result<std::unique_ptr<StdioClient>> take();
  ~StdioClient();
  StdioClient(const StdioClient&) = delete;
  StdioClient& operator=(const StdioClient&) = delete;

  // Once, for the service that it is a client of.
  [[nodiscard]] Fd take_client() { return std::move(client_); }
  [[nodiscard]] const SocketAddress& address() const { return address_; }
  // Standard error was the client's socket: nothing can be said there.
  [[nodiscard]] bool is_stderr_taken() const { return is_stderr_taken_; }

  // Begins to move bytes. `on_done` is called on the thread, once: everything the client was to get
  // has been written and both ends were passed on, or `error` says why not. For a socket, and where
  // no thread can be made: at once.
  void start(std::function<void(std::string error)> on_done);
  // Ends the thread, whatever is left to be written; on_done is not called any more.
  void stop();

 private:
  StdioClient() = default;
  [[nodiscard]] Result<void> take_socket();
  [[nodiscard]] Result<void> take_pair();

  Fd client_;
  SocketAddress address_;
  bool is_stderr_taken_ = false;
  // Of the thread, once it runs; closed when it has ended.
  Fd input_, output_, pair_;
  Fd wake_;  // an eventfd: end at once
  std::thread thread_;
};

}  // namespace tunnel::runtime
