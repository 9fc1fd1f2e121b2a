// SPDX-License-Identifier: MIT
#include "tunnel/dial.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "tunnel/socket_options.h"

namespace tunnel {
namespace {

bool is_ip(const std::string& name) { return SocketAddress::parse_ip(name, 0).has_value(); }

}  // namespace

x509::Peer expected_peer(const balance::Endpoint& target, const DialSettings& settings) {
  x509::Peer peer;
  peer.target = target.text;
  if (!target.name.empty()) {
    peer.names = {target.name};
  } else if (!settings.names.empty()) {
    peer.names = settings.names;
  } else if (target.form != config::Target::Form::unix_socket) {
    peer.names = {target.host};
  }
  if (settings.sni) {
    peer.sni = *settings.sni;
  } else {
    const auto name = std::find_if(
        peer.names.begin(), peer.names.end(),
        [](const std::string& each) { return !is_ip(each) && x509::names_host(each); });
    if (name != peer.names.end()) peer.sni = *name;
  }
  // A name may be written as a fully qualified one; certificates and SNI never carry the last dot.
  if (peer.sni.ends_with('.')) peer.sni.pop_back();
  for (std::string& name : peer.names) {
    if (name.ends_with('.')) name.pop_back();
  }
  return peer;
}

Dial::Dial(uv::Loop& loop, AddressBook& book, const balance::Endpoint& target,
           const DialSettings& settings, const Caller& caller, std::vector<SocketAddress>& tried,
           Owner& owner)
    : loop_(loop),
      book_(book),
      target_(target),
      settings_(settings),
      caller_(caller),
      tried_(tried),
      tried_before_(tried.size()),
      owner_(owner),
      deadline_(loop, [this] { on_deadline(); }) {}

Dial::~Dial() = default;

// Through the timer, so that nothing is reported before start() has returned.
void Dial::start() { deadline_.start(Millis(0)); }

// The conversation and the session stay: one of them may be what is on the stack. They call nobody.
void Dial::abandon() {
  deadline_.stop();
  waiter_.reset();
  connector_.reset();
  stream_.reset();
}

void Dial::begin() {
  is_started_ = true;
  phase_began_ = loop_.now();
  order_proxies();
  if (!enter(Phase::resolving)) return;
  return resolve();
}

// As they are written, but for those that have failed lately: each would cost a timeout again.
void Dial::order_proxies() {
  for (const config::Proxy& proxy : settings_.service->proxies) proxies_.push_back(&proxy);
  if (proxies_.size() < 2) return;
  std::stable_partition(proxies_.begin(), proxies_.end(),
                        [this](const config::Proxy* proxy) { return !seems_dead(*proxy); });
}

bool Dial::seems_dead(const config::Proxy& proxy) const {
  if (const auto ip = SocketAddress::parse_ip(proxy.host, proxy.port)) return book_.has_failed(*ip);
  const AddressBook::Answer* answer = book_.find(proxy.host);
  return answer != nullptr && std::ranges::all_of(answer->addresses, [&](SocketAddress address) {
           address.set_port(proxy.port);
           return book_.has_failed(address);
         });
}

const config::Proxy* Dial::proxy() const { return proxies_.empty() ? nullptr : proxies_.front(); }

std::string_view describe(Phase phase) {
  switch (phase) {
    case Phase::resolving:
      return "looking for its address";
    case Phase::connecting:
      return "connecting";
    case Phase::preamble:
      return "connected, speaking plaintext before TLS";
    case Phase::handshaking:
      return "connected, shaking hands";
    case Phase::established:
      return "established";
  }
  return "";
}

// The one place where the phase changes: stamps the time of the phase that ends.
bool Dial::enter(Phase phase) {
  stamp();
  phase_began_ = loop_.now();
  phase_ = phase;
  return owner_.on_phase(phase);
}

// Notes how long the current phase has taken so far.
void Dial::stamp() {
  const auto took = static_cast<std::int32_t>((loop_.now() - phase_began_).count());
  if (phase_ == Phase::resolving) times_.resolve_ms = took;
  if (phase_ == Phase::connecting) times_.connect_ms = took;
  if (phase_ == Phase::preamble) times_.preamble_ms = took;
  if (phase_ == Phase::handshaking) times_.tls_ms = took;
}

void Dial::on_deadline() {
  if (!is_started_) return begin();
  if (phase_ == Phase::resolving) {
    waiter_.reset();
    remember(
        Kind::resolve_failed,
        "no answer from DNS for " + host() + " within " +
            format_duration(*settings_.timeouts.resolve) +
            " (timeouts.resolve); see that the name servers of /etc/resolv.conf or dns_servers "
            "answer",
        true);
    return finish_failed();
  }
  const Millis limit = *settings_.timeouts.handshake;
  if (phase_ == Phase::preamble) {
    return address_failed(Kind::tls_timeout,
                          target_.text + " did not go on within " + format_duration(limit) +
                              " (timeouts.handshake) while waiting for " +
                              conversation_->waiting_for(),
                          false);
  }
  // There is no time left to try without it, but the next connection can.
  if (session_->is_ticket_suspected()) session_->rest_tickets();
  const Failure failure = session_->handshake_timed_out(limit);
  return address_failed(failure.kind, failure.text, false);
}

// --- resolving ---------------------------------------------------------------------------------

const std::string& Dial::host() const { return proxy() != nullptr ? proxy()->host : target_.host; }

bool Dial::is_name() const {
  if (proxy() != nullptr) return !is_ip(host());
  return target_.form == config::Target::Form::name && !target_.address;
}

void Dial::resolve() {
  if (target_.is_foreign && target_.name.empty() && settings_.names.empty() &&
      settings_.needs_name) {
    remember(Kind::cert_name_mismatch,
             "the SRV answer leads to " + target_.text +
                 ", outside the domain that was asked: DNS is not trusted to name the server (RFC "
                 "6125); set tls.name to the name that its certificate must carry",
             true);
    return finish_failed();
  }
  if (!is_name()) return connect();
  const AddressBook::Answer* answer = book_.find(host());
  if (answer != nullptr && !answer->addresses.empty()) return connect();
  if (settings_.timeouts.resolve) deadline_.start(*settings_.timeouts.resolve);
  waiter_ = std::make_unique<AddressBook::Waiter>(book_, host(), [this] { on_resolved(); });
}

void Dial::on_resolved() {
  waiter_.reset();
  const AddressBook::Answer* answer = book_.find(host());
  if (answer->addresses.empty()) {
    remember(Kind::resolve_failed,
             answer->error.empty() ? "cannot resolve " + host() : answer->error, true);
    return finish_failed();
  }
  return connect();
}

// --- connecting --------------------------------------------------------------------------------

// Races all addresses that this connection has not used up yet.
void Dial::connect() {
  deadline_.stop();
  const bool is_proxied = proxy() != nullptr;
  const std::uint16_t port = is_proxied ? proxy()->port : target_.port;
  std::vector<SocketAddress> addresses;
  if (is_name()) {
    addresses = book_.find(host())->addresses;
    for (SocketAddress& address : addresses) address.set_port(port);
  } else if (is_proxied) {
    if (auto ip = SocketAddress::parse_ip(host(), port)) addresses.push_back(*ip);
  } else if (target_.address) {
    addresses.push_back(*target_.address);
  } else if (target_.form == config::Target::Form::unix_socket) {
    if (auto path = SocketAddress::unix_path(target_.host)) addresses.push_back(*path);
  } else if (auto ip = SocketAddress::parse_ip(target_.host, port)) {
    addresses.push_back(*ip);
  }
  // A proxy is the way to every target, not a target of its own: it counts what this dial tried.
  const auto tried = std::span(tried_).subspan(is_proxied ? tried_before_ : 0);
  std::erase_if(addresses, [tried](const SocketAddress& address) {
    return std::ranges::find(tried, address) != tried.end();
  });
  if (addresses.empty()) return finish_failed();
  book_.order(addresses);
  return race(std::move(addresses));
}

void Dial::race(std::vector<SocketAddress> addresses) {
  if (!enter(Phase::connecting)) return;
  connector_ = std::make_unique<Connector>(loop_, std::move(addresses), settings_.timeouts.connect,
                                           settings_.bind ? &*settings_.bind : nullptr, *this,
                                           socket_options());
  return connector_->start();
}

std::span<const config::SocketOption> Dial::socket_options() const {
  return settings_.service->socket_options.target;
}

void Dial::on_address_failed(const Connector::Failure& failure) {
  tried_.push_back(failure.address);
  if (!failure.is_local) book_.note_failed(failure.address);
  const bool is_proxied = proxy() != nullptr;
  const std::string whom = is_proxied ? "the proxy " + host() : target_.text;
  // The target as written may be a name: then the address says which of its machines it was.
  const std::string where = failure.address.to_string();
  const std::string text =
      "cannot connect to " + (where == whom ? where : whom + " at " + where) + ": " + failure.text;
  return remember(failure.kind, text, failure.is_local || is_proxied);
}

void Dial::on_all_failed() {
  connector_.reset();
  // A handshake that was to be made once more had one address only: there may be others, which
  // begin anew. It is over when there are none.
  attempt_.reset();
  tickets_ = tls::Tickets::welcome;
  return connect();
}

void Dial::on_connected(Connector::Connected connected) {
  stream_ = std::move(connected.stream);
  address_ = connected.address;
  connector_.reset();
  book_.note_won(address_, connected.silent);
  stream_->set_events(*this);
  if (!address_.is_unix()) {
    stream_->set_nodelay();
    const config::Keepalive& keepalive = settings_.keepalive;
    if (keepalive.enabled) {
      stream_->set_keepalive(static_cast<int>(keepalive.idle.count() / 1000),
                             static_cast<int>(keepalive.interval.count() / 1000), keepalive.count);
    }
    restore_socket_options(stream_->fd(), socket_options());
  }
  // One limit for all that comes between TCP and the first byte of the client. A second attempt
  // has what the first one left: a server that hangs must not cost twice as long.
  if (const config::Timeout& limit = settings_.timeouts.handshake) {
    if (tickets_ == tls::Tickets::welcome) handshake_until_ = loop_.now() + *limit;
    deadline_.start(std::max(Millis(1), handshake_until_ - loop_.now()));
  }
  if (settings_.has_preamble()) return converse();
  return begin_tls();
}

// --- the conversations before TLS --------------------------------------------------------------

void Dial::converse() {
  if (!enter(Phase::preamble)) return;
  const x509::Peer peer = expected_peer(target_, settings_);
  conversation_ = preamble::make_preamble({.service = *settings_.service,
                                           .target = target_.text,
                                           .host = target_.host,
                                           .port = target_.port,
                                           .tls_name = x509::host_of(peer, target_.host),
                                           .client = caller_.client,
                                           .accepted = caller_.accepted,
                                           .purpose = caller_.purpose,
                                           .proxy = proxy()});
  stream_->start_reading();
  return act_on(conversation_->on_start());
}

void Dial::act_on(preamble::Step step) {
  if (!step.to_server.empty()) (void)stream_->write(as_bytes(step.to_server));
  if (!step.to_client.empty()) owner_.on_bytes_for_client(step.to_client);
  const bool is_wanted = step.status == preamble::Status::again && conversation_->wants_client();
  if (is_wanted != is_client_wanted_) {
    is_client_wanted_ = is_wanted;
    owner_.on_client_wanted(is_wanted);
  }
  switch (step.status) {
    case preamble::Status::again:
      return;
    case preamble::Status::failed:
      return address_failed(step.failure.kind, std::move(step.failure.text), step.failure.is_local);
    case preamble::Status::done:
      break;
  }
  greeting_ = std::move(step.greeting);
  surplus_ = std::move(step.surplus);
  filter_ = conversation_->take_filter();
  return begin_tls();
}

void Dial::on_client(Bytes bytes) {
  if (phase_ == Phase::preamble) return act_on(conversation_->on_client(bytes));
}

// --- TLS ---------------------------------------------------------------------------------------

void Dial::begin_tls() {
  if (settings_.tls == nullptr) return established();
  if (!enter(Phase::handshaking)) return;
  x509::Peer peer = expected_peer(target_, settings_);
  peer.attempt = attempt_;
  session_ =
      std::make_unique<tls::Session>(*settings_.tls, std::move(peer), caller_.remembered, tickets_);
  stream_->start_reading();
  const std::string early = std::move(surplus_);
  surplus_.clear();
  return handshake(as_bytes(early));
}

void Dial::handshake(Bytes input) {
  OutBuffer out(loop_.output_scratch());
  session_->feed(input);
  const tls::Io io = session_->handshake(out);
  // A write error is not acted on here: what the server sent before it went away (an alert, a
  // greeting) says more about the reason, and reading ends with the same error.
  if (!out.empty()) (void)stream_->write(out.filled());
  switch (io) {
    case tls::Io::again:
      return;
    case tls::Io::done:
      return established();
    case tls::Io::closed:
    case tls::Io::failed:
      break;
  }
  const Failure failure = session_->failure();
  return address_failed(failure.kind, failure.text, failure.is_local);
}

void Dial::established() {
  deadline_.stop();
  book_.note_worked(address_);
  if (!enter(Phase::established)) return;
  return owner_.on_established();
}

// --- the server's stream, until it is taken ----------------------------------------------------

void Dial::on_read(MutableBytes bytes) {
  if (phase_ == Phase::preamble) return act_on(conversation_->on_server(bytes));
  return handshake(bytes);
}

void Dial::on_eof() { return transport_ended(tls::Session::End::eof); }

void Dial::on_read_error(int) { return transport_ended(tls::Session::End::reset); }

void Dial::on_write_error(int) {}

void Dial::transport_ended(tls::Session::End end) {
  if (phase_ == Phase::preamble) {
    const bool is_eof = end == tls::Session::End::eof;
    preamble::Step step =
        conversation_->on_server_end(is_eof ? preamble::End::eof : preamble::End::reset);
    if (step.status != preamble::Status::again) return act_on(std::move(step));
    return address_failed(Kind::tls_closed,
                          target_.text + " closed the connection while it was asked for " +
                              conversation_->waiting_for(),
                          false);
  }
  const Failure failure = session_->transport_ended(end);
  return address_failed(failure.kind, failure.text, false);
}

// --- failures ----------------------------------------------------------------------------------

// Records why the current address failed and goes on to the next one.
void Dial::address_failed(Kind kind, std::string text, bool is_local) {
  const bool is_final = conversation_ && conversation_->is_client_committed();
  if (session_ && session_->is_ticket_suspected()) {
    if (!is_final) return once_more_without_ticket(text);
    // This client cannot have another server's greeting. The target is not to blame before it has
    // failed without a ticket.
    session_->rest_tickets();
    is_local = true;
  }
  if (!is_final && offer_again(kind)) return;
  attempt_.reset();
  tickets_ = tls::Tickets::welcome;
  tried_.push_back(address_);
  if (!is_local) book_.note_failed(address_);
  remember(kind, std::move(text), is_local);
  failure_.is_final = is_final;
  drop_connection();
  if (failure_.is_final) return finish_failed();
  return connect();
}

// A server that cannot stand tickets must not cost the clients that bring one. This failure is
// nobody's: what happens now counts.
void Dial::once_more_without_ticket(const std::string& why) {
  owner_.on_ticket_suspected(why);
  tickets_ = tls::Tickets::suspected;
  drop_connection();
  return race({address_});
}

// The same address with another offer of TLS, as long as a server may have more of the list than
// it has shown; false when it may not.
bool Dial::offer_again(Kind failed) {
  const auto next = session_ ? session_->next_attempt(failed) : std::nullopt;
  if (!next) return false;
  attempt_ = next;
  drop_connection();
  race({address_});
  return true;
}

void Dial::drop_connection() {
  deadline_.stop();
  session_.reset();
  stream_.reset();
  conversation_.reset();
  filter_.reset();
}

// The failure that got furthest tells most: a refused second address does not hide an expired
// certificate on the first.
void Dial::remember(Kind kind, std::string text, bool is_local) {
  const bool is_first = failure_.kind == Kind::ok;
  const bool is_all_local = is_local && (is_first || failure_.is_local);
  if (is_first || phase_ >= failed_in_) {
    failure_.kind = kind;
    failure_.text = std::move(text);
    failed_in_ = phase_;
  }
  failure_.is_local = is_all_local;
}

void Dial::finish_failed() {
  deadline_.stop();
  stamp();
  // A name that led nowhere may have moved: ask DNS again before its TTL ends.
  if (phase_ > Phase::resolving && is_name()) book_.ask_again(host());
  if (proxies_.size() > 1 && !failure_.is_final) {
    proxies_.erase(proxies_.begin());
    if (enter(Phase::resolving)) return resolve();
    return;
  }
  if (failure_.kind == Kind::ok) {
    remember(Kind::unreachable, target_.text + " has no address that was not tried already", true);
  }
  return owner_.on_dial_failed();
}

}  // namespace tunnel
