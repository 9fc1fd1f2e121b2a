// SPDX-License-Identifier: MIT
#include <utility>

#include "preamble/mysql.h"
#include "preamble/starttls.h"

namespace tunnel::preamble {
namespace {

constexpr char kOk = '\x00';
constexpr char kErr = '\xff';
constexpr std::string_view kFullAuthentication = "\x01\x04";  // of caching_sha2_password
constexpr std::string_view kPublicKeyRequest = "\x02";

constexpr std::uint32_t kAuthenticationPluginError = 2061;  // what the client's own library says
constexpr std::string_view kNeedsSocket =
    "caching_sha2_password wants the password over a secure connection, and to its client this one "
    "is not: let the client connect to the tunnel over a unix socket";

// Follows packets through a stream that is cut anywhere. A value.
class PacketTracker {
 public:
  // Takes bytes of the stream up to the end of a header or of a payload.
  struct Part {
    bool is_header = false;  // bytes are the four of a whole header
    std::string bytes;       // else: part of the payload
  };
  std::optional<Part> take(Bytes& bytes) {
    if (bytes.empty()) return std::nullopt;
    if (left_ == 0) {
      const std::size_t count = std::min(kMysqlHeader - header_.size(), bytes.size());
      header_ += as_text(bytes.first(count));
      bytes = bytes.subspan(count);
      if (header_.size() < kMysqlHeader) return std::nullopt;
      left_ = size_ = mysql_integer(header_, 0, 3);
      return Part{.is_header = true, .bytes = std::exchange(header_, {})};
    }
    const std::size_t count = std::min(left_, bytes.size());
    Part part{.is_header = false, .bytes = std::string(as_text(bytes.first(count)))};
    bytes = bytes.subspan(count);
    left_ -= count;
    return part;
  }
  [[nodiscard]] std::string release() { return std::exchange(header_, {}); }
  [[nodiscard]] std::size_t size() const { return size_; }  // of the current payload
  [[nodiscard]] std::size_t left() const { return left_; }  // of it, not yet taken

 private:
  std::string header_;
  std::size_t size_ = 0;
  std::size_t left_ = 0;
};

// A packet with number 0 begins something new and is no part of the login: COM_QUIT of a client
// that gave up.
void shift(std::string& header, int by) {
  if (header[3] == 0) return;
  header[3] = static_cast<char>(static_cast<unsigned char>(header[3]) + by);
}

class MysqlFilter final : public Conversation {
 public:
  MysqlFilter(std::string response, std::string behind)
      : response_(std::move(response)), behind_(std::move(behind)) {}

  Step on_start() override {
    Step step = send(std::exchange(response_, {}));
    if (!behind_.empty()) append(step, on_client(as_bytes(std::exchange(behind_, {}))));
    return step;
  }

  // Bytes are passed on as they come, except for the four of a header, which wait until they are
  // complete. The first byte of a payload tells what it is: 0 is OK, which together with ERR ends
  // the login. (Plugins' own bytes come behind a 1, those of another method's name behind 0xfe.)
  // Then every command begins with number 0 on both sides, so that there is nothing left to
  // rewrite.
  Step on_server(Bytes bytes) override {
    Step step;
    while (std::optional<PacketTracker::Part> part = server_.take(bytes)) {
      const bool is_first = !part->is_header && server_said_.empty();
      if (part->is_header) {
        shift(part->bytes, -1);
        server_said_.clear();
      } else {
        server_said_ += part->bytes.substr(0, 2 - std::min<std::size_t>(2, server_said_.size()));
      }
      step.to_client += part->bytes;
      if (is_first && (part->bytes.front() == kOk || part->bytes.front() == kErr)) {
        step.to_client += as_text(bytes);
        return release(std::move(step));
      }
    }
    return step;
  }

  Step on_client(Bytes bytes) override {
    Step step;
    while (std::optional<PacketTracker::Part> part = client_.take(bytes)) {
      if (part->is_header) {
        shift(part->bytes, +1);
        if (server_said_ == kFullAuthentication && client_.size() == 1) {
          held_header_ = part->bytes;  // what it means depends on the payload
        } else {
          step.to_server += part->bytes;
        }
        continue;
      }
      if (!held_header_.empty() && part->bytes == kPublicKeyRequest) {
        return refuse_key(std::move(step));
      }
      step.to_server += std::exchange(held_header_, {}) + part->bytes;
    }
    return step;
  }

  Step on_server_end(End) override { return release({}); }
  Step on_client_end() override { return release({}); }

  [[nodiscard]] std::string waiting_for() const override { return "the end of the login"; }

 private:
  // The server sees TLS and will take any packet for the password; a client that sees none asks for
  // an RSA key instead, with a packet of one byte. That can end only badly, so it ends with a
  // reason. The client hangs up by itself.
  Step refuse_key(Step step) {
    const auto sequence = static_cast<std::uint8_t>(held_header_[3]);
    // The number was raised for the server. Seen from the client that is one more than its own, as
    // the number of an answer must be.
    step.to_client +=
        mysql_error_packet(sequence, kAuthenticationPluginError, "HY000", kNeedsSocket);
    step.status = Status::done;
    return step;
  }

  Step release(Step step) {
    step.status = Status::done;
    step.to_client += server_.release();
    step.to_server += std::exchange(held_header_, {}) + client_.release();
    return step;
  }

  std::string response_;
  std::string behind_;
  PacketTracker client_;
  PacketTracker server_;
  std::string server_said_;  // the first two bytes of the server's current packet
  std::string held_header_;  // of a packet of the client's, rewritten and not sent yet
};

}  // namespace

std::unique_ptr<Conversation> mysql_filter(std::string response, std::string behind) {
  return std::make_unique<MysqlFilter>(std::move(response), std::move(behind));
}

}  // namespace tunnel::preamble
