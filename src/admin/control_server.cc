// SPDX-License-Identifier: MIT
#include "admin/control_server.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "admin/protocol.h"
#include "base/socket.h"

namespace tunnel::admin {
namespace {

constexpr Millis kRetry{1'000};

Operator peer_of(int fd) {
  // SO_PEERCRED: as the client was when it connected. The kernel says it, so it cannot be forged.
  const auto process = peer_process(fd);
  // Without an answer it is nobody that we know.
  if (!process) return {static_cast<uid_t>(-1), 0};
  return {process->uid, process->pid};
}

}  // namespace

// One control connection. It has one request at a time: while that is not answered nothing is read,
// so that a client cannot pile up work. Deleted at the end of the turn in which it ends.
class ControlServer::Client final : public uv::Stream::Events, public uv::Deferred {
 public:
  Client(ControlServer& server, std::uint64_t id, const Operator& by)
      : server_(server), id_(id), by_(by), patience_(server.loop_, [this] { finish(); }) {}

  [[nodiscard]] bool start(Fd socket) {
    auto adopted = uv::Stream::adopt(server_.loop_, std::move(socket), AF_UNIX, *this);
    if (!adopted) return false;
    stream_ = std::move(*adopted);
    listen();
    return true;
  }

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const Operator& by() const { return by_; }

  // A request goes: next() finds it whole and stops reading, the owner answers at once or much
  // later, and answer() looks for the next one when the kernel has taken the line. Only while
  // nothing is asked does the client's time run out: a drain may take hours.
  void answer(const std::string& line) {
    if (!stream_ || !is_asking_) return;
    is_asking_ = false;
    switch (stream_->write(as_bytes(line))) {
      case uv::Stream::Written::done:
        return next();
      case uv::Stream::Written::pending:
        return patience_.start(kPatience);  // on_drained follows
      case uv::Stream::Written::failed:
        return finish();
    }
  }

  [[nodiscard]] Fd take_over() {
    if (!stream_ || !is_asking_) return {};
    // A copy: the Stream closes its own, which ends nothing while this one is open.
    Fd fd(::fcntl(stream_->fd(), F_DUPFD_CLOEXEC, 0));
    finish();
    return fd;
  }

 private:
  void on_read(MutableBytes bytes) override {
    received_ += as_text(bytes);
    return next();
  }
  // A client that has said all it wanted to may still wait for the answer.
  void on_eof() override {
    is_over_ = true;
    if (!is_asking_) return finish();
  }
  void on_read_error(int) override { return finish(); }
  void on_write_error(int) override { return finish(); }
  void on_drained() override { return next(); }

  void listen() {
    patience_.start(kPatience);
    stream_->start_reading();
  }

  // What has come, request by request. A request that is answered at once ends up here again, from
  // inside of take(): in a loop, for a client may send thousands in one write, and the stack has an
  // end.
  void next() {
    if (is_taking_) return;
    is_taking_ = true;
    while (take()) {
    }
    is_taking_ = false;
  }

  // The next line, if it is whole. False: that was all.
  bool take() {
    if (is_asking_ || !stream_) return false;
    const std::size_t end = received_.find('\n');
    if (end == std::string::npos && received_.size() <= kLongestRequest) {
      is_over_ ? finish() : listen();
      return false;
    }
    // Also when there is no end at all (npos) in so much.
    if (end > kLongestRequest) {
      refuse_flood();
      return false;
    }
    // What it sends meanwhile waits in the kernel.
    stream_->stop_reading();
    is_asking_ = true;
    patience_.stop();
    const std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    server_.owner_.on_request(server_.asker_of(*this), line);
    return true;
  }

  void refuse_flood() {
    const Verdict refusal = Verdict::refused(
        "bad_request", "a request is at most " + std::to_string(kLongestRequest) + " bytes long");
    (void)stream_->write(as_bytes(answer_line(refusal)));
    return finish();
  }

  void finish() {
    patience_.stop();
    stream_.reset();
    received_.clear();
    // Not deleted here: one of its own methods is on the stack.
    server_.loop_.at_end_of_turn(*this);
  }
  void on_end_of_turn() override { return server_.remove(*this); }

  ControlServer& server_;
  const std::uint64_t id_;
  const Operator by_;
  // Released by finish(), all of them.
  std::unique_ptr<uv::Stream> stream_;
  uv::Timer patience_;
  std::string received_;
  bool is_asking_ = false;  // a request has not been answered yet
  bool is_taking_ = false;  // next() is on the stack
  bool is_over_ = false;    // the client sends nothing more
};

ControlServer::ControlServer(uv::Loop& loop, int listening, uid_t own_uid, Owner owner)
    : loop_(loop),
      listening_(listening),
      own_uid_(own_uid),
      owner_(std::move(owner)),
      watch_(loop, listening, [this](uv::FdWatch::Ready) { on_readable(); }),
      retry_(loop, [this] { update_watch(); }) {
  update_watch();
}

ControlServer::~ControlServer() = default;

// Further clients wait in the kernel's backlog. That is short; when it is full, connect(2) waits,
// or fails with EAGAIN on a non-blocking socket.
void ControlServer::update_watch() {
  const bool has_room = takes_clients_ && clients_.size() < kMostClients && !retry_.is_active();
  watch_.watch(has_room ? uv::FdWatch::Read::yes : uv::FdWatch::Read::no, uv::FdWatch::Write::no);
}

void ControlServer::take_no_more() {
  takes_clients_ = false;
  update_watch();
}

void ControlServer::on_readable() {
  while (clients_.size() < kMostClients && accept_one()) {
  }
  update_watch();
}

bool ControlServer::accept_one() {
  Fd socket(::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.valid()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      retry_.start(kRetry);
    }
    return errno == ECONNABORTED || errno == EINTR;
  }
  const Operator by = peer_of(socket.get());
  // The mode of the socket file says the same, but another process may have made that: a socket
  // unit, say.
  if (by.uid != 0 && by.uid != own_uid_) {
    owner_.on_refused(by);
    return true;
  }
  auto client = std::make_unique<Client>(*this, ++last_id_, by);
  if (client->start(std::move(socket))) clients_.push_back(std::move(client));
  return true;
}

ControlServer::Client* ControlServer::find(std::uint64_t id) const {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [&](const auto& client) { return client->id() == id; });
  return found == clients_.end() ? nullptr : found->get();
}

ControlServer::Asker ControlServer::asker_of(const Client& client) {
  // By number: the client may go before it is answered, and another may come to stand at its
  // address.
  const std::uint64_t id = client.id();
  return {.by = client.by(),
          .answer =
              [this, id](const std::string& line) {
                if (Client* asking = find(id)) asking->answer(line);
              },
          .take_over =
              [this, id] {
                Client* asking = find(id);
                return asking != nullptr ? asking->take_over() : Fd();
              }};
}

void ControlServer::remove(const Client& client) {
  std::erase_if(clients_, [&](const auto& one) { return one.get() == &client; });
  update_watch();
}

}  // namespace tunnel::admin
