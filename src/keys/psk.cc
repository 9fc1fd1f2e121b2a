// SPDX-License-Identifier: MIT
#include "keys/psk.h"

#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "base/wipe.h"
#include "x509/file_text.h"
#include "x509/handles.h"

namespace tunnel::keys {
namespace {

// What stunnel, OpenSSL and we ourselves agree on: a file that one of them takes is good for all.
constexpr std::size_t kLeastKey = 16;
constexpr std::size_t kMostKey = 512;
constexpr std::size_t kMostIdentity = 256;
constexpr std::size_t kMaxPskFile = 16U << 20;

// "0aff" or "0a:ff"; nothing when it is something else.
std::optional<std::string> from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (i > 0 && text[i] == ':') ++i;
    if (i + 1 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

bool has_blank_ends(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  return !text.empty() && (is_blank(text.front()) || is_blank(text.back()));
}

// The file, line by line, until all of them are judged.
class Loading {
 public:
  Loading(const config::Tls& tls, x509::Problems& problems) : tls_(tls), problems_(problems) {}
  ~Loading() { wipe(chosen_.key); }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  // The key to use; an empty one when there is a problem.
  const PskLine& run() {
    auto content = x509::read_file(tls_.psk_file, kMaxPskFile);
    if (!content) {
      add("psk_file", tls_.psk_file + ": " + content.error().text);
      return chosen_;
    }
    read(*content);
    wipe(*content);
    if (x509::is_world_readable(tls_.psk_file)) {
      problems_.warning("psk_file",
                        "tls.psk_file: everybody on this machine can read the keys in " +
                            tls_.psk_file + "; chmod o-rwx " + tls_.psk_file);
    }
    return chosen_;
  }

 private:
  void read(std::string_view content) {
    for (int number = 1; !content.empty(); ++number) {
      const auto end = content.find('\n');
      auto line = content.substr(0, end);
      content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) judge(line, number);
    }
    finish();
  }

  void judge(std::string_view line, int number) {
    auto parsed = parse_psk_line(line);
    const std::string place = tls_.psk_file + ", line " + std::to_string(number) + ": ";
    if (!parsed) {
      // The rest of the file is judged all the same, whichever line is used: one run tells how many
      // are wrong.
      if (bad_lines_++ == 0) first_error_ = place + parsed.error().text;
      return;
    }
    known_ += (known_.empty() ? "\"" : ", \"") + printable(parsed->identity, 60) + "\"";
    ++lines_;
    const bool is_wanted = tls_.psk_identity.empty() || parsed->identity == tls_.psk_identity;
    if (!is_found_ && is_wanted) {
      is_found_ = true;
      chosen_ = *std::move(parsed);
      if (has_blank_ends(line)) {
        problems_.warning("psk_file",
                          "tls.psk_file: " + place +
                              "blanks at the ends of a line are part of the identity or the key");
      }
      return;
    }
    wipe(parsed->key);
  }

  void finish() {
    constexpr std::size_t kMostShown = 300;
    if (bad_lines_ > 0) {
      if (bad_lines_ > 1) first_error_ += "; so are " + std::to_string(bad_lines_ - 1) + " more";
      add("psk_file", first_error_,
          "every line is \"identity:key\", the key being at least 32 hexadecimal digits; there are "
          "no comments");
    } else if (lines_ == 0) {
      add("psk_file", tls_.psk_file + ": holds no key",
          "every line is \"identity:key\"; `openssl rand -hex 32` makes a good key");
    } else if (!is_found_) {
      add("psk_identity", "\"" + printable(tls_.psk_identity) + "\" has no key in " + tls_.psk_file,
          "the identities there: " + printable(known_, kMostShown));
    }
    if (bad_lines_ > 0) wipe(chosen_.key);
    if (bad_lines_ > 0) chosen_ = {};
  }

  void add(std::string key, std::string text, std::string hint = {}) {
    problems_.error(std::move(key), std::move(text), std::move(hint));
  }

  const config::Tls& tls_;
  x509::Problems& problems_;
  PskLine chosen_;
  std::string first_error_, known_;
  int bad_lines_ = 0, lines_ = 0;
  bool is_found_ = false;
};

}  // namespace

Result<PskLine> parse_psk_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return failed(ErrorCode::invalid, "there is no colon in it");
  const std::string_view identity = line.substr(0, colon);
  const auto written = line.substr(colon + 1);
  // As stunnel has it: what can be read as hexadecimal is that, and not the digits themselves.
  auto bytes = from_hex(written);
  const std::string unit = bytes ? " bytes in hexadecimal" : " bytes";
  std::string key = bytes ? *std::move(bytes) : std::string(written);
  if (identity.empty()) return failed(ErrorCode::invalid, "the identity is empty");
  if (identity.size() > kMostIdentity) {
    return failed(ErrorCode::invalid, "the identity is longer than 256 bytes");
  }
  if (key.size() < kLeastKey) {
    return failed(ErrorCode::invalid,
                  "the key has only " + std::to_string(key.size()) + unit + ", and 16 are needed");
  }
  if (key.size() > kMostKey) {
    return failed(ErrorCode::invalid, "the key is longer than 512 bytes");
  }
  return PskLine{.identity = std::string(identity), .key = std::move(key)};
}

bool needs_psk(const config::Tls& tls) {
  return !tls.psk_file.empty() && tls.ca.empty() && tls.pin.empty() && tls.peer_certs.empty();
}

std::unique_ptr<const PresharedKey> PresharedKey::load(const config::Tls& tls,
                                                       x509::Problems& problems) {
  if (tls.psk_file.empty()) {
    if (!tls.psk_identity.empty()) {
      problems.error("psk_identity", "tls.psk_identity needs tls.psk_file");
    }
    return nullptr;
  }
  Loading loading(tls, problems);
  const auto& line = loading.run();
  if (line.key.empty()) return nullptr;
  gnutls_psk_client_credentials_t raw = nullptr;
  int error = gnutls_psk_allocate_client_credentials(&raw);
  PskCredentials credentials(raw);
  const auto identity = x509::lend(line.identity);
  const auto key = x509::lend(line.key);
  if (error == 0) {
    error = gnutls_psk_set_client_credentials2(raw, &identity, &key, GNUTLS_PSK_KEY_RAW);
  }
  if (error < 0) {
    problems.error("psk_file", tls.psk_file + ": " + gnutls_strerror(error));
    return nullptr;
  }
  return std::unique_ptr<const PresharedKey>(
      new PresharedKey(line.identity, std::move(credentials)));
}

}  // namespace tunnel::keys
