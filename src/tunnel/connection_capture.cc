// SPDX-License-Identifier: MIT
#include "tunnel/connection_capture.h"

#include <utility>

#include "base/socket.h"
#include "capture/plaintext_port.h"
#include "tunnel/wire_flow.h"
#include "x509/x509_text.h"

namespace tunnel {
namespace {

using capture::Taps;

constexpr std::uint64_t kFirstPort = 1024;
constexpr std::uint64_t kPorts = 64'512;

// Who has no IP address (a unix socket, a program, standard input) gets one on the loopback, and a
// port by the connection's number.
SocketAddress client_address(const uv::Stream& client, std::uint64_t id) {
  const SocketAddress address = target_address(&client);
  if (!client.is_unix() && address.port() != kNoPort) return address;
  return SocketAddress::loopback_v4(static_cast<std::uint16_t>(kFirstPort + id % kPorts));
}

std::string client_text(const uv::Stream& client) {
  if (!client.is_unix()) return {};
  const auto who = peer_process(client.fd());
  if (!who) return {};
  return "client pid=" + std::to_string(who->pid) + " uid=" + std::to_string(who->uid);
}

std::string label(const ConnectionRecord& record) {
  return std::string(record.service) + "[" + std::to_string(record.id) + "]";
}

std::string facts_text(const tls::Session* session, const ConnectionRecord& record) {
  std::string text = session == nullptr ? "no TLS" : negotiated_text(record.negotiated);
  if (session != nullptr) {
    if (const std::string print = session->certificate_fingerprint(); !print.empty()) {
      text += ", cert " + print;
      const std::time_t end = session->certificate_not_after();
      text += (end != 0 ? ", notAfter " + x509::timestamp(end) : "") + ",";
    }
    text += record.negotiated.resumed ? " resumed=yes" : " resumed=no";
  }
  return text + " tries=" + std::to_string(record.tries);
}

}  // namespace

ConnectionCapture::ConnectionCapture(const config::Service& service, std::uint64_t id,
                                     uv::Stream& client)
    : service_(service),
      client_(client_address(client, id)),
      client_text_(client_text(client)),
      plain_(Taps::Facing::client, {}) {
  client.set_tap(&plain_);
}

void ConnectionCapture::join(const capture::Source& source) {
  if (!source.recording->is_of(client_)) return;
  if (source.recording->settings().what.layer == config::CaptureLayer::wire) {
    wire_sources_.push_back(source);
    return;
  }
  return plain_.join(source);
}

void ConnectionCapture::leave(const capture::Recording& recording) {
  std::erase_if(wire_sources_, [&](const auto& one) { return one.recording.get() == &recording; });
  plain_.leave(recording.settings().id);
  if (wire_) wire_->leave(recording.settings().id);
}

capture::Flow ConnectionCapture::plain_flow(const uv::Stream* target,
                                            const ConnectionRecord& record,
                                            std::string_view more) const {
  SocketAddress address = target_address(target);
  std::string comment = label(record) + " " + record.target;
  if (!client_text_.empty()) comment += " " + client_text_;
  if (!more.empty()) comment += " " + std::string(more);
  address.set_port(capture::plaintext_port(service_, address.port()));
  return {.service = service_.name,
          .client = client_,
          .target = address,
          .target_name = name_of_target(record.target),
          .comment = std::move(comment)};
}

void ConnectionCapture::begin(const uv::Stream* target, const ConnectionRecord& record) {
  if (!plain_.has_unopened()) return;
  return plain_.open(plain_flow(target, record, {}));
}

void ConnectionCapture::go_on(const uv::Stream* target, const tls::Session* session,
                              const ConnectionRecord& record) {
  if (!plain_.has_unopened()) return;
  return plain_.open(plain_flow(target, record, facts_text(session, record)));
}

void ConnectionCapture::established(const uv::Stream* target, const tls::Session* session,
                                    const ConnectionRecord& record) {
  const std::string facts = facts_text(session, record);
  if (plain_.has_unopened()) {
    // The usual way. Where the client has had bytes of the server before TLS, the flow was opened
    // then, without these facts.
    plain_.open(plain_flow(target, record, facts));
  } else {
    plain_.remark(facts);
  }
  if (wire_) wire_->remark(label(record) + " established " + facts);
}

Dial::Watchers ConnectionCapture::watch_target(const uv::Stream& target,
                                               const ConnectionRecord& record) {
  // Each attempt is a flow of its own: one that failed is what a capture is often made for.
  if (wire_) wire_->close("given up for another address");
  if (wire_sources_.empty()) return {};
  wire_ = std::make_unique<Taps>(Taps::Facing::target, wire_sources_);
  wire_->open(wire_flow(target, service_.name, record.target,
                        label(record) + " " + record.target + " for client " + record.client));
  return {.tap = wire_.get(), .secrets = wire_.get()};
}

void ConnectionCapture::attempt_failed(const Failure& failure) {
  if (wire_) wire_->close(failure.text + " kind=" + std::string(word(failure.kind)));
}

void ConnectionCapture::finish(const ConnectionRecord& record) {
  std::string text = label(record) + " closed";
  if (!record.outcome.text.empty()) text += ": " + record.outcome.text + ";";
  text += " target=" + record.target + " kind=" + std::string(word(record.outcome.kind)) +
          " side=" + std::string(word(record.outcome.side)) +
          " bytes_up=" + std::to_string(record.bytes_up) +
          " bytes_down=" + std::to_string(record.bytes_down);
  plain_.close(text);
  if (wire_) wire_->close(text);
}

}  // namespace tunnel
