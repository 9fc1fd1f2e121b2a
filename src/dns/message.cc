// SPDX-License-Identifier: MIT
#include "dns/message.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

namespace tunnel::dns {

namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kMaxNameLength = 255;
// In 255 octets there is room for 127 labels and the root, and a pointer that leads to none of them
// is of no use. A reply may have thousands of names, and chains of pointers as long as itself.
constexpr int kMostPointers = 128;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kCname = 5;
// A server may say weeks; nobody wants to wait that long for a change.
constexpr Millis kMaxTtl = std::chrono::hours(24);

// Walks over a message. After a read beyond the end `is_broken` holds, and every value is 0.
class Reader {
 public:
  explicit Reader(Bytes message) : message_(message) {}

  [[nodiscard]] bool is_broken() const { return is_broken_; }
  [[nodiscard]] std::size_t position() const { return position_; }

  std::uint16_t u16() {
    const Bytes two = take(2);
    if (is_broken_) return 0;
    return static_cast<std::uint16_t>(byte(two[0]) << 8 | byte(two[1]));
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  Bytes take(std::size_t size) {
    if (is_broken_ || message_.size() - position_ < size) {
      is_broken_ = true;
      return {};
    }
    const Bytes taken = message_.subspan(position_, size);
    position_ += size;
    return taken;
  }

  // A name, "." being empty. nullopt (and not broken) when it is no host name: such records exist,
  // and are of no use to us.
  std::optional<std::string> name() {
    std::string text;
    bool is_host = true;
    std::size_t after = 0;  // where reading goes on once a pointer was followed
    std::size_t limit = position_;
    int pointers = 0;
    while (true) {
      const Bytes first = take(1);
      if (is_broken_) return std::nullopt;
      const unsigned length = byte(first[0]);
      if (length == 0) break;
      // RFC 1035 section 4.1.4: both bits make a pointer, and one alone is reserved.
      if ((length & 0xc0U) == 0xc0U) {
        const Bytes second = take(1);
        if (is_broken_) return std::nullopt;
        const std::size_t where = (length & 0x3fU) << 8 | byte(second[0]);
        if (after == 0) after = position_;
        // Only ever backwards: no loops.
        if (where >= limit || ++pointers > kMostPointers) return broken();
        limit = position_ = where;
        continue;
      }
      if ((length & 0xc0U) != 0) return broken();
      const std::string_view label = as_text(take(length));
      if (is_broken_) return std::nullopt;
      is_host = is_host && std::all_of(label.begin(), label.end(), is_host_character);
      if (!text.empty()) text += '.';
      text += label;
      if (text.size() > kMaxNameLength) return broken();
    }
    if (after != 0) position_ = after;
    if (!is_host) return std::nullopt;
    return text;
  }

 private:
  static unsigned byte(std::byte value) { return std::to_integer<unsigned>(value); }
  // An underscore is not allowed in the name of a host (RFC 952), but many have one, and so do
  // names of services.
  static bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  }
  std::nullopt_t broken() {
    is_broken_ = true;
    return std::nullopt;
  }

  Bytes message_;
  std::size_t position_ = 0;
  bool is_broken_ = false;
};

std::optional<SocketAddress> address_from(Bytes data, RecordType type) {
  if (type == RecordType::a) {
    sockaddr_in v4{};
    if (data.size() != sizeof v4.sin_addr) return std::nullopt;
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, data.data(), data.size());
    return SocketAddress::from(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  if (data.size() != sizeof v6.sin6_addr) return std::nullopt;
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, data.data(), data.size());
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

// The first of each stays. An answer may have thousands, too many to compare in pairs.
template <class Value>
void drop_repeated(std::vector<Value>& values) {
  std::set<Value> seen;
  std::erase_if(values, [&seen](const Value& value) { return !seen.insert(value).second; });
}

Status status_of(unsigned response_code) {
  switch (response_code) {
    case 0:
      return Status::ok;
    case 3:
      return Status::nxdomain;
    case 2:
    case 5:
      return Status::servfail;
    default:
      return Status::malformed;
  }
}

struct Header {
  bool is_whole_response = false;
  Status status = Status::malformed;
  unsigned questions = 0;
  unsigned answers = 0;
};

Header read_header(Reader& reader) {
  Header header;
  (void)reader.u16();  // id: the resolver has compared it
  const unsigned flags = reader.u16();
  header.questions = reader.u16();
  header.answers = reader.u16();
  (void)reader.take(kHeaderSize - reader.position());
  const bool is_response = (flags & 0x8000U) != 0;
  // c-ares has asked again over TCP; what is cut off there, too, is half an answer.
  const bool is_cut_off = (flags & 0x0200U) != 0;
  header.is_whole_response = !reader.is_broken() && is_response && !is_cut_off;
  header.status = status_of(flags & 0xfU);
  return header;
}

// False: it is malformed. Nothing is added for what is not offered.
bool add_service(Reader& reader, std::size_t end, Answer& answer) {
  Service service;
  service.priority = reader.u16();
  service.weight = reader.u16();
  service.port = reader.u16();
  // The target must not be compressed (RFC 2782), but receivers should read one that is (RFC 3597
  // section 4): the record's length says where it has to end.
  const std::optional<std::string> target = reader.name();
  if (reader.is_broken() || reader.position() != end) return false;
  // The root as target says that the service is not offered here (RFC 2782).
  if (!target || target->empty() || service.port == 0) return true;
  service.target = *target;
  answer.services.push_back(std::move(service));
  return true;
}

// False: it is malformed.
bool add_record(Reader& reader, RecordType type, Answer& answer) {
  (void)reader.name();
  const std::uint16_t record_type = reader.u16();
  const std::uint16_t record_class = reader.u16();
  std::uint32_t ttl = reader.u32();
  if ((ttl & 0x80000000U) != 0) ttl = 0;  // RFC 2181, section 8
  const std::uint16_t length = reader.u16();
  const bool is_ours = record_class == kClassIn && record_type == static_cast<std::uint16_t>(type);
  if (is_ours || (record_class == kClassIn && record_type == kCname)) {
    answer.ttl = std::min(answer.ttl, Millis(std::chrono::seconds(ttl)));
  }
  if (is_ours && type == RecordType::srv) {
    return add_service(reader, reader.position() + length, answer);
  }
  const Bytes data = reader.take(length);
  if (!is_ours) return true;
  const auto address = address_from(data, type);
  if (address) answer.addresses.push_back(*address);
  return address.has_value();
}

}  // namespace

// Owners of records are not compared with the question: the answer section is the chain of aliases
// and what it leads to. Only records that count shorten the TTL.
Answer parse_reply(Bytes message, RecordType type) {
  const Answer malformed{.status = Status::malformed, .addresses = {}, .services = {}};
  Reader reader(message);
  const Header header = read_header(reader);
  if (!header.is_whole_response) return malformed;
  Answer answer{.status = header.status, .addresses = {}, .services = {}};
  if (answer.status != Status::ok) return answer;
  for (unsigned i = 0; i < header.questions; ++i) {
    (void)reader.name();
    (void)reader.take(4);
  }
  answer.ttl = kMaxTtl;
  for (unsigned i = 0; i < header.answers && !reader.is_broken(); ++i) {
    if (!add_record(reader, type, answer)) return malformed;
  }
  if (reader.is_broken()) return malformed;
  drop_repeated(answer.addresses);
  drop_repeated(answer.services);
  if (answer.addresses.empty() && answer.services.empty()) answer.status = Status::nodata;
  return answer;
}

}  // namespace tunnel::dns
