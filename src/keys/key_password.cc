// SPDX-License-Identifier: MIT
#include "keys/key_password.h"

#include <cstring>

#include "base/wipe.h"
#include "x509/file_text.h"

namespace tunnel::keys {
namespace {

constexpr std::size_t kMaxPasswordFile = 65536;
constexpr std::size_t kMaxPassword = 1024;

}  // namespace

KeyPassword::~KeyPassword() { forget(); }

void KeyPassword::forget() {
  wipe(text_);
  text_.clear();
  is_set_ = false;
}

void KeyPassword::load(const std::string& option, const std::string& path,
                       x509::Problems& problems) {
  option_ = option;
  path_ = path;
  if (path.empty()) return;
  const auto add = [&](std::string text, std::string hint) {
    problems.error(option, std::move(text), std::move(hint));
  };
  // With a size this reads what is not a regular file, too, such as /dev/fd/3.
  auto content = x509::read_file(path, kMaxPasswordFile);
  if (!content) return add(path + ": " + content.error().text, {});
  // An editor ends the line; the line's end is no part of a password.
  text_.assign(*content, 0, content->find_first_of(std::string_view("\r\n\0", 3)));
  wipe(*content);
  if (text_.empty()) {
    return add(path + ": holds no password", "the password is the first line of the file");
  }
  if (text_.size() > kMaxPassword) {
    return add(path + ": the password, the file's first line, is longer than 1024 bytes",
               "is it the right file?");
  }
  is_set_ = true;
}

int KeyPassword::give_pin(void* self, int attempt, const char*, const char*, unsigned flags,
                          char* pin, std::size_t pin_size) {
  const auto& password = *static_cast<const KeyPassword*>(self);
  // Any answer but 0 ends the login. GnuTLS would go on asking, and the token would lock itself.
  const bool was_wrong = attempt > 0 || (flags & GNUTLS_PIN_WRONG) != 0;
  if (!password.is_set_ || was_wrong || password.text_.size() >= pin_size) return -1;
  std::memcpy(pin, password.text_.c_str(), password.text_.size() + 1);
  return 0;
}

}  // namespace tunnel::keys
