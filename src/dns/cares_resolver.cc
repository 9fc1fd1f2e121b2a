// SPDX-License-Identifier: MIT
#include "dns/cares_resolver.h"

#include <ares.h>
#include <arpa/nameser.h>

#include <utility>

#include "dns/message.h"

// Since 1.28 questions and answers are records; functions that take and give bytes are deprecated.
#define TUNNEL_CARES_HAS_RECORDS (ARES_VERSION >= 0x011c00)

namespace tunnel::dns {

namespace {

constexpr std::uint16_t kDnsPort = 53;

Status status_of(int ares_status) {
  switch (ares_status) {
    case ARES_SUCCESS:
      return Status::ok;
    case ARES_ENOTFOUND:
      return Status::nxdomain;
    case ARES_ENODATA:
      return Status::nodata;
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
      return Status::servfail;
    case ARES_ETIMEOUT:
      return Status::timeout;
    // c-ares 1.18 says this, too, when every server has answered SERVFAIL or REFUSED: it drops such
    // answers and asks the next server.
    case ARES_ECONNREFUSED:
      return Status::unreachable;
    case ARES_EFORMERR:
    case ARES_EBADRESP:
      return Status::malformed;
    case ARES_EBADNAME:
      return Status::bad_name;
    default:
      return Status::failed;
  }
}

#if TUNNEL_CARES_HAS_RECORDS
struct RecordFree {
  void operator()(ares_dns_record_t* record) const { ares_dns_record_destroy(record); }
};
using Record = std::unique_ptr<ares_dns_record_t, RecordFree>;

// The bytes of a record, which are what parse_reply reads with every c-ares.
class Message {
 public:
  Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { ares_free_string(bytes_); }

  ares_status_t write(const ares_dns_record_t* record) {
    return ares_dns_write(record, &bytes_, &size_);
  }
  [[nodiscard]] const unsigned char* bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  unsigned char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

tl::expected<Record, ares_status_t> query_for(const std::string& name, RecordType type) {
  ares_dns_record_t* made = nullptr;
  ares_status_t status =
      ares_dns_record_create(&made, 0, ARES_FLAG_RD, ARES_OPCODE_QUERY, ARES_RCODE_NOERROR);
  Record record(made);
  if (status == ARES_SUCCESS) {
    status = ares_dns_record_query_add(made, name.c_str(), static_cast<ares_dns_rec_type_t>(type),
                                       ARES_CLASS_IN);
  }
  // The search calls what is not a name "out of memory"; written down, it is what it is.
  Message message;
  if (status == ARES_SUCCESS) status = message.write(made);
  if (status != ARES_SUCCESS) return tl::make_unexpected(status);
  return record;
}
#endif

std::string as_csv(const std::vector<SocketAddress>& servers) {
  std::string csv;
  for (SocketAddress server : servers) {
    if (server.port() == 0) server.set_port(kDnsPort);
    if (!csv.empty()) csv += ',';
    csv += server.to_string();
  }
  return csv;
}

}  // namespace

CaresResolver::CaresResolver(uv::Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      resolv_conf_(options_.resolv_conf, loop),
      timeout_(loop, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }),
      delivery_(loop, [this] { deliver(); }) {
  (void)ares_library_init(ARES_LIB_INIT_ALL);  // counted; does nothing but that on Unix
}

CaresResolver::~CaresResolver() {
  close_channel();
  ares_library_cleanup();
}

void CaresResolver::ChannelCloser::operator()(ares_channeldata* channel) const {
  ares_destroy(channel);
}

void CaresResolver::ask(const std::string& name, RecordType type, OnAnswer on_answer) {
  loop_.assert_here();
  const std::uint64_t id = ++last_id_;
  Question& question = questions_[id];
  question.resolver = this;
  question.name = name;
  question.type = type;
  question.on_answer = std::move(on_answer);
  // c-ares 1.18 reads resolv.conf when a channel is made, and never again: another file needs
  // another channel. The new question is among those that are submitted to it.
  if (resolv_conf_.has_changed() || !channel_) {
    close_channel();
    open_channel();
    for (auto& [other_id, waiting] : questions_) {
      if (!waiting.is_answered) submit(waiting);
    }
  } else {
    submit(question);
  }
  set_timeout();
}

void CaresResolver::open_channel() {
  ares_options options{};
  // A file that HOSTALIASES in the environment names is not a daemon's to obey.
  options.flags = ARES_FLAG_NOALIASES;
  options.timeout = static_cast<int>(options_.timeout.count());
  options.tries = options_.tries;
  options.udp_port = options.tcp_port = options_.port;
  options.resolvconf_path = options_.resolv_conf.data();
  options.sock_state_cb_data = this;
  options.sock_state_cb = [](void* resolver, ares_socket_t fd, int readable, int writable) {
    static_cast<CaresResolver*>(resolver)->watch_socket(fd, readable != 0, writable != 0);
  };
  int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_UDP_PORT |
              ARES_OPT_TCP_PORT | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
  // Answers are kept in one place, Names, which knows when they are wanted fresh.
  given |= ARES_OPT_QUERY_CACHE;
  options.qcache_max_ttl = 0;
#endif
  ares_channel channel = nullptr;
  // Without a channel every question fails, and the next one tries to open it.
  if (ares_init_options(&channel, &options, given) != ARES_SUCCESS) return;
  channel_.reset(channel);
  if (options_.servers.empty()) return;
  if (ares_set_servers_ports_csv(channel, as_csv(options_.servers).c_str()) != ARES_SUCCESS) {
    close_channel();
  }
}

// c-ares calls back for every question that is under way; they stay in our list.
void CaresResolver::close_channel() {
  is_closing_ = true;
  channel_.reset();
  sockets_.clear();
  is_closing_ = false;
}

void CaresResolver::submit(Question& question) {
  if (!channel_) return answered(question, ARES_ENOTINITIALIZED, nullptr, 0);
#if TUNNEL_CARES_HAS_RECORDS
  const tl::expected<Record, ares_status_t> query = query_for(question.name, question.type);
  if (!query) return answered(question, query.error(), nullptr, 0);
  (void)ares_search_dnsrec(
      channel_.get(), query->get(),
      [](void* asked, ares_status_t status, std::size_t, const ares_dns_record_t* record) {
        auto* one = static_cast<Question*>(asked);
        Message message;
        if (status == ARES_SUCCESS) status = message.write(record);
        one->resolver->answered(*one, status, message.bytes(), message.size());
      },
      &question);
#else
  ares_search(
      channel_.get(), question.name.c_str(), ns_c_in, static_cast<int>(question.type),
      [](void* asked, int status, int, unsigned char* bytes, int size) {
        auto* one = static_cast<Question*>(asked);
        one->resolver->answered(*one, status, bytes, static_cast<std::size_t>(size));
      },
      &question);
#endif
}

// Called by c-ares, perhaps while it is being asked or closed: only notes what came.
void CaresResolver::answered(Question& question, int ares_status, const unsigned char* bytes,
                             std::size_t size) {
  if (is_closing_) return;
  question.is_answered = true;
  if (ares_status == ARES_SUCCESS) {
    question.answer = parse_reply({reinterpret_cast<const std::byte*>(bytes), size}, question.type);
  } else {
    question.answer.status = status_of(ares_status);
  }
  delivery_.start(Millis(0));
}

// c-ares has sockets of its own, and does its own reading and writing. It says which of them to
// watch, and for what; it is called when one is ready or its next timeout has come (process), and
// calls back with each answer.
void CaresResolver::watch_socket(int fd, bool readable, bool writable) {
  if (!readable && !writable) {
    sockets_.erase(fd);  // c-ares closes it next
    return;
  }
  std::unique_ptr<uv::FdWatch>& watch = sockets_[fd];
  if (!watch) {
    watch = std::make_unique<uv::FdWatch>(loop_, fd, [this, fd](uv::FdWatch::Ready ready) {
      // An error is for c-ares to find, by reading or writing; it closes the socket then.
      const bool is_error = ready.uv_error != 0;
      // In there c-ares may close the socket, and this watch goes with it: nothing may follow.
      process(ready.readable || is_error ? fd : ARES_SOCKET_BAD,
              ready.writable || is_error ? fd : ARES_SOCKET_BAD);
    });
  }
  watch->watch(readable ? uv::FdWatch::Read::yes : uv::FdWatch::Read::no,
               writable ? uv::FdWatch::Write::yes : uv::FdWatch::Write::no);
}

void CaresResolver::process(int readable_fd, int writable_fd) {
  if (!channel_) return;
  ares_process_fd(channel_.get(), readable_fd, writable_fd);
  set_timeout();
}

void CaresResolver::set_timeout() {
  timeval wait{};
  if (!channel_ || ares_timeout(channel_.get(), nullptr, &wait) == nullptr) return timeout_.stop();
  // Rounded up: c-ares does nothing when it is called early, and says 0 ms again and again.
  timeout_.start(std::chrono::duration_cast<Millis>(std::chrono::seconds(wait.tv_sec)) +
                 Millis(wait.tv_usec / 1000 + 1));
}

// A question leaves the map before its callback, which may ask again. That adds behind all others,
// and moves no iterator.
void CaresResolver::deliver() {
  for (auto next = questions_.begin(); next != questions_.end();) {
    const auto current = next++;
    if (!current->second.is_answered) continue;
    auto question = questions_.extract(current);
    question.mapped().on_answer(std::move(question.mapped().answer));
  }
}

}  // namespace tunnel::dns
