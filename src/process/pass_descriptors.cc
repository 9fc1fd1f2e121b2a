// SPDX-License-Identifier: MIT
#include "process/pass_descriptors.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>

namespace tunnel::process {
namespace {

using Control = std::array<char, CMSG_SPACE(sizeof(int) * kMostDescriptors)>;

}  // namespace

ssize_t send_descriptors(int socket, std::string_view message, std::span<const int> descriptors) {
  iovec piece{.iov_base = const_cast<char*>(message.data()), .iov_len = message.size()};
  alignas(cmsghdr) Control control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    // CMSG_LEN is without the padding behind the descriptors, CMSG_SPACE with it (cmsg(3)).
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(socket, &header, MSG_NOSIGNAL);
}

std::optional<Received> receive_descriptors(int socket, std::size_t longest, int flags) {
  Received received{std::string(longest, '\0'), {}};
  iovec piece{.iov_base = received.message.data(), .iov_len = longest};
  alignas(cmsghdr) Control control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | flags);
  if (size < 0) return std::nullopt;
  received.message.resize(static_cast<std::size_t>(size));
  // Also when this process had no room for all of them: those that came are still to be closed.
  received.is_cut = (header.msg_flags & MSG_CTRUNC) != 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> numbers((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(part), numbers.size() * sizeof(int));
    for (const int number : numbers) received.descriptors.emplace_back(number);
  }
  return received;
}

}  // namespace tunnel::process
