// SPDX-License-Identifier: MIT
// libFuzzer target for RecordCipher with every library that does AES-GCM, side by side. The first
// byte chooses the cipher suite, the second where the key begins; then come records: 0 seals text
// as it is (its length, the text), 1 a long text (a number, times 67), 2 does the same and then
// changes the record (its length, then at most eight times a place and what to flip there), 3 is a
// record by hand (its length, the bytes), 4 goes on to another sequence number.
//
// Found wrong: a crash, anything the sanitizers say, libraries that differ, a record that is not
// opened to what was sealed, one that is opened although it was changed.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tls/aeads.h"
#include "tls/record_cipher.h"
#include "tls_world.h"

namespace tunnel::tls::test {
namespace {

using Content = RecordCipher::Content;
using Followed = RecordCipher::Followed;
using Buffer = std::vector<std::byte>;

RecordKeys keys_of(std::uint8_t suite, std::uint8_t seed) {
  RecordKeys keys;
  const bool is_256 = (suite & 1) != 0;
  keys.algorithm = is_256 ? GNUTLS_CIPHER_AES_256_GCM : GNUTLS_CIPHER_AES_128_GCM;
  keys.key_size = is_256 ? 32 : 16;
  keys.is_1_2 = (suite & 2) != 0;
  keys.explicit_nonce_size = keys.is_1_2 ? 8 : 0;
  keys.tag_size = 16;
  for (auto& byte : keys.key) byte = seed++;
  for (std::size_t i = 0; i < keys.iv.size() - keys.explicit_nonce_size; ++i) keys.iv[i] = seed++;
  return keys;
}

// The same connection, once with each library.
struct Side {
  Side(const AeadProvider& provider, const RecordKeys& its)
      : to_write(its), to_read(its), writer(to_write, provider), reader(to_read, provider) {}
  RecordKeys to_write, to_read;
  RecordCipher writer, reader;
};

class Sides {
 public:
  explicit Sides(const RecordKeys& keys) : keys_(keys) {
    for (const auto& choice : aeads())
      all_.push_back(std::make_unique<Side>(choice.provider, keys));
  }

  void go_on_to(std::uint64_t sequence) {
    for (const auto& side : all_) side->to_write.sequence = side->to_read.sequence = sequence;
  }

  Buffer seal(std::string_view text, Followed followed) {
    Buffer first;
    for (const auto& side : all_) {
      std::string plaintext(text);
      if (followed == Followed::yes) plaintext += 'x';
      const std::string lent = plaintext;
      Buffer room(text.size() + 64);
      OutBuffer out(room);
      const auto whole = as_mutable_bytes(plaintext);
      require(side->writer.seal(whole.first(text.size()), followed, out), "it can be sealed");
      require(plaintext == lent, "what was lent is as it was");
      const Buffer record(out.filled().begin(), out.filled().end());
      if (first.empty()) first = record;
      require(record == first, "each library seals alike");
    }
    return first;
  }

  // What is in a record; nothing when it is not genuine.
  std::optional<std::string> open(const Buffer& record) {
    const auto room = RecordCipher::room_for(keys_, record.size());
    if (!room) return std::nullopt;
    std::optional<std::string> first;
    for (const auto& side : all_) {
      Buffer into(*room);  // of the exact size, so that writing past it shows
      const auto before = side->to_read.sequence;
      const auto content = side->reader.open(record, into);
      require(side->to_read.sequence == before + (content ? 1 : 0), "genuine records count");
      const auto opened = content ? std::optional(described(*content, into)) : std::nullopt;
      if (side == all_.front()) first = opened;
      require(opened == first, "each library opens alike");
      if (!content)
        require(std::count(into.begin(), into.end(), std::byte{}) ==
                    static_cast<std::ptrdiff_t>(into.size()),
                "a forged record leaves nothing");
    }
    return first;
  }

 private:
  static std::string described(const Content& content, Bytes into) {
    require(content.size <= content.padded_size && content.padded_size <= into.size(),
            "no more than there is");
    return std::to_string(content.type) + ' ' + std::string(as_text(into.first(content.size)));
  }

  const RecordKeys keys_;
  std::vector<std::unique_ptr<Side>> all_;
};

// False: it is the same again.
bool change(Buffer& record, Input& input) {
  const Buffer before = record;
  for (int times = input.byte() % 8; times >= 0; --times) {
    const std::size_t place = unsigned{input.byte()} << 8 | input.byte();
    record[place % record.size()] ^= static_cast<std::byte>(input.byte());
  }
  return record != before;
}

void run(Sides& sides, bool is_1_2, Input input) {
  for (int records = 0; !input.empty() && records < 100; ++records) {
    const auto command = input.byte();
    const auto followed = (command & 0x80) != 0 ? Followed::yes : Followed::no;
    switch (command & 0x7f) {
      case 0:
      case 1:
      case 2: {
        const std::size_t length = input.byte();
        const std::string text = (command & 0x7f) == 0 ? std::string(input.bytes(length))
                                                       : std::string(length * 67 % 16385, 'l');
        Buffer record = sides.seal(text, followed);
        if ((command & 0x7f) == 2) {
          const Buffer genuine = record;
          if (change(record, input)) {
            // TLS 1.2 authenticates the version and length that there must be, not those of the
            // header, at which the gate has looked.
            const bool is_equal =
                is_1_2 && std::equal(record.begin() + 5, record.end(), genuine.begin() + 5) &&
                record[0] == genuine[0];
            require(is_equal || !sides.open(record), "what was changed is refused");
            if (is_equal) {
              require(sides.open(record).has_value(), "it is opened all the same");
              break;
            }
          }
          record = genuine;
        }
        require(sides.open(record) == "23 " + text, "what was sealed is opened");
        break;
      }
      case 3: {
        const auto bytes = as_bytes(input.bytes(input.byte()));
        (void)sides.open({bytes.begin(), bytes.end()});
        break;
      }
      case 4: {
        std::uint64_t sequence = 0;
        for (int i = 0; i < 8; ++i) sequence = sequence << 8 | input.byte();
        sides.go_on_to(sequence & ~(std::uint64_t{1} << 63));
        break;
      }
      default:
        break;
    }
  }
}

}  // namespace
}  // namespace tunnel::tls::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tunnel::tls::test;
  if (size < 2) return 0;
  const auto keys = keys_of(data[0], data[1]);
  Sides sides(keys);
  run(sides, keys.is_1_2, {data + 2, size - 2});
  return 0;
}
