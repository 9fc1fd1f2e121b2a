// SPDX-License-Identifier: MIT
// Preloaded into a process whose system calls are to fail on purpose. Counts the calls of each
// kind, and makes the n-th one of the kind that is armed fail, all by way of a file that the test
// shares with the process (FAULTS_FILE), so that one process can be driven through many faults.
//
// libuv makes some calls by syscall(): that is looked into as well. What libc calls inside of
// itself is not seen, which is why fopen() has a kind of its own.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

// In the order of KINDS in tests/e2e/harness/faults.py.
enum Kind : std::uint32_t {
  k_socket,
  k_bind,
  k_listen,
  k_accept,
  k_connect,
  k_shutdown,
  k_close,
  k_read,
  k_write,
  k_log,
  k_read_file,
  k_write_file,
  k_read_wake,
  k_write_wake,
  k_recv,
  k_send,
  k_epoll_ctl,
  k_epoll_wait,
  k_epoll_create,
  k_eventfd,
  k_pipe,
  k_open,
  k_fopen,
  k_stat,
  k_getsockopt,
  k_setsockopt,
  k_getsockname,
  k_fcntl,
  k_rename,
  k_unlink,
  k_fsync,
  k_thread,
  k_kinds
};

constexpr int kShort = -1;  // instead of an errno: one byte at most

struct Shared {
  std::atomic<std::uint32_t> armed;     // 1 + kind; 0: none
  std::atomic<std::int32_t> countdown;  // the call that makes it 0 fails
  std::atomic<std::int32_t> error;
  std::atomic<std::uint32_t> fired;
  std::array<std::atomic<std::uint32_t>, k_kinds> counts;
};

Shared* shared = nullptr;

// 0: let it be. Else the errno, or kShort.
int fault(Kind kind) {
  if (shared == nullptr) return 0;
  shared->counts[kind].fetch_add(1);
  if (shared->armed.load() != kind + 1 || shared->countdown.fetch_sub(1) != 1) return 0;
  shared->fired.fetch_add(1);
  return shared->error.load();
}

template <class Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

template <class Real, class... Arguments>
auto attempt(Kind kind, Real real, Arguments... arguments) -> decltype(real(arguments...)) {
  if (const int error = fault(kind); error > 0) {
    errno = error;
    return static_cast<decltype(real(arguments...))>(-1);
  }
  return real(arguments...);
}

// For calls that may do a part of their work. `call` gets how much.
template <class Call>
ssize_t attempt_some(Kind kind, std::size_t size, Call call) {
  const int error = fault(kind);
  if (error > 0) {
    errno = error;
    return -1;
  }
  return call(error == kShort ? std::min<std::size_t>(size, 1) : size);
}

// The same for several buffers: their first one is a part.
template <class Call>
ssize_t attempt_first(Kind kind, const iovec* buffers, std::size_t count, Call call) {
  const int error = fault(kind);
  if (error > 0) {
    errno = error;
    return -1;
  }
  if (error != kShort || count == 0) return call(buffers, count);
  const iovec first{buffers[0].iov_base, std::min<std::size_t>(buffers[0].iov_len, 1)};
  return call(&first, 1);
}

// A socket, a file, or what wakes a thread up: an eventfd or a pipe.
Kind by_type(int fd, Kind socket, Kind file, Kind wake) {
  struct stat64 about {};
  static const auto real = next(&::fstat64, "fstat64");
  if (real(fd, &about) != 0) return socket;
  if (S_ISSOCK(about.st_mode)) return socket;
  return S_ISREG(about.st_mode) ? file : wake;
}

Kind kind_of_read(int fd) { return by_type(fd, k_read, k_read_file, k_read_wake); }

// What is written to standard error is the log.
Kind kind_of_write(int fd) {
  return fd == STDERR_FILENO ? k_log : by_type(fd, k_write, k_write_file, k_write_wake);
}

__attribute__((constructor)) void begin() {
  const char* path = std::getenv("FAULTS_FILE");
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  void* at = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at != MAP_FAILED) shared = static_cast<Shared*>(at);
}

}  // namespace

// Everything has 64-bit offsets; the plain names would be other functions than those called.
#define REAL(name) static const auto real = next(&::name, #name)

extern "C" {

int socket(int family, int type, int protocol) noexcept {
  REAL(socket);
  return attempt(k_socket, real, family, type, protocol);
}
int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
  REAL(bind);
  return attempt(k_bind, real, fd, address, size);
}
int listen(int fd, int backlog) noexcept {
  REAL(listen);
  return attempt(k_listen, real, fd, backlog);
}
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  REAL(accept4);
  return attempt(k_accept, real, fd, address, size, flags);
}
int connect(int fd, const sockaddr* address, socklen_t size) {
  REAL(connect);
  return attempt(k_connect, real, fd, address, size);
}
int shutdown(int fd, int how) noexcept {
  REAL(shutdown);
  return attempt(k_shutdown, real, fd, how);
}
// Linux closes whatever it says.
int close(int fd) {
  REAL(close);
  const int result = real(fd);
  if (const int error = fault(k_close); error > 0) {
    errno = error;
    return -1;
  }
  return result;
}

ssize_t read(int fd, void* into, size_t size) {
  REAL(read);
  return attempt_some(kind_of_read(fd), size, [=](size_t n) { return real(fd, into, n); });
}
ssize_t readv(int fd, const iovec* buffers, int count) {
  REAL(readv);
  return attempt_first(kind_of_read(fd), buffers, static_cast<size_t>(count),
                       [=](const iovec* b, size_t n) { return real(fd, b, static_cast<int>(n)); });
}
ssize_t recv(int fd, void* into, size_t size, int flags) {
  REAL(recv);
  return attempt_some(k_recv, size, [=](size_t n) { return real(fd, into, n, flags); });
}
ssize_t recvfrom(int fd, void* into, size_t size, int flags, sockaddr* from, socklen_t* length) {
  REAL(recvfrom);
  return attempt(k_recv, real, fd, into, size, flags, from, length);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  REAL(recvmsg);
  return attempt(k_recv, real, fd, message, flags);
}

ssize_t write(int fd, const void* from, size_t size) {
  REAL(write);
  return attempt_some(kind_of_write(fd), size, [=](size_t n) { return real(fd, from, n); });
}
ssize_t writev(int fd, const iovec* buffers, int count) {
  REAL(writev);
  return attempt_first(kind_of_write(fd), buffers, static_cast<size_t>(count),
                       [=](const iovec* b, size_t n) { return real(fd, b, static_cast<int>(n)); });
}
ssize_t send(int fd, const void* from, size_t size, int flags) {
  REAL(send);
  return attempt_some(k_send, size, [=](size_t n) { return real(fd, from, n, flags); });
}
ssize_t sendto(int fd, const void* from, size_t size, int flags, const sockaddr* to,
               socklen_t length) {
  REAL(sendto);
  return attempt(k_send, real, fd, from, size, flags, to, length);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  REAL(sendmsg);
  return attempt_first(k_send, message->msg_iov, message->msg_iovlen,
                       [=](const iovec* b, size_t n) {
                         msghdr part = *message;
                         part.msg_iov = const_cast<iovec*>(b);
                         part.msg_iovlen = n;
                         return real(fd, &part, flags);
                       });
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  REAL(epoll_ctl);
  return attempt(k_epoll_ctl, real, epoll, operation, fd, event);
}
int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  REAL(epoll_wait);
  return attempt(k_epoll_wait, real, epoll, events, most, timeout);
}
int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  REAL(epoll_pwait);
  return attempt(k_epoll_wait, real, epoll, events, most, timeout, mask);
}
int epoll_create1(int flags) noexcept {
  REAL(epoll_create1);
  return attempt(k_epoll_create, real, flags);
}
int eventfd(unsigned value, int flags) noexcept {
  REAL(eventfd);
  return attempt(k_eventfd, real, value, flags);
}
int pipe2(int fds[2], int flags) noexcept {
  REAL(pipe2);
  return attempt(k_pipe, real, fds, flags);
}

int open64(const char* path, int flags, ...) {
  REAL(open64);
  va_list list;
  va_start(list, flags);
  const auto mode = va_arg(list, mode_t);
  va_end(list);
  return attempt(k_open, real, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  REAL(openat64);
  va_list list;
  va_start(list, flags);
  const auto mode = va_arg(list, mode_t);
  va_end(list);
  return attempt(k_open, real, folder, path, flags, mode);
}
FILE* fopen(const char* path, const char* mode) {
  REAL(fopen);
  if (const int error = fault(k_fopen); error > 0) {
    errno = error;
    return nullptr;
  }
  return real(path, mode);
}
int fstat64(int fd, struct stat64* into) noexcept {
  REAL(fstat64);
  return attempt(k_stat, real, fd, into);
}
int stat64(const char* path, struct stat64* into) noexcept {
  REAL(stat64);
  return attempt(k_stat, real, path, into);
}
int lstat64(const char* path, struct stat64* into) noexcept {
  REAL(lstat64);
  return attempt(k_stat, real, path, into);
}
int fstatat64(int folder, const char* path, struct stat64* into, int flags) noexcept {
  REAL(fstatat64);
  return attempt(k_stat, real, folder, path, into, flags);
}

int getsockopt(int fd, int level, int name, void* into, socklen_t* size) noexcept {
  REAL(getsockopt);
  return attempt(k_getsockopt, real, fd, level, name, into, size);
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  REAL(setsockopt);
  return attempt(k_setsockopt, real, fd, level, name, value, size);
}
int getsockname(int fd, sockaddr* into, socklen_t* size) noexcept {
  REAL(getsockname);
  return attempt(k_getsockname, real, fd, into, size);
}
int getpeername(int fd, sockaddr* into, socklen_t* size) noexcept {
  REAL(getpeername);
  return attempt(k_getsockname, real, fd, into, size);
}
int fcntl(int fd, int command, ...) {
  REAL(fcntl);
  va_list list;
  va_start(list, command);
  void* const argument = va_arg(list, void*);
  va_end(list);
  return attempt(k_fcntl, real, fd, command, argument);
}

int rename(const char* from, const char* to) noexcept {
  REAL(rename);
  return attempt(k_rename, real, from, to);
}
int unlink(const char* path) noexcept {
  REAL(unlink);
  return attempt(k_unlink, real, path);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  REAL(unlinkat);
  return attempt(k_unlink, real, folder, path, flags);
}
int fsync(int fd) {
  REAL(fsync);
  return attempt(k_fsync, real, fd);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  REAL(pthread_create);
  if (const int error = fault(k_thread); error > 0) return error;
  return real(thread, attributes, run, argument);
}

long syscall(long number, ...) noexcept {
  REAL(syscall);
  va_list list;
  va_start(list, number);
  std::array<long, 6> a{};
  for (auto& value : a) value = va_arg(list, long);
  va_end(list);
  if (number == SYS_close) return close(static_cast<int>(a[0]));
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // extern "C"
