// SPDX-License-Identifier: MIT
// libFuzzer target for a line that a client of the control socket sends. Found wrong: a crash,
// anything the sanitizers say, an answer of more than one line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "admin/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace admin = tunnel::admin;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto parsed = admin::Request::parse(line);
  if (!parsed.request) {
    const std::string answer = admin::answer_line(parsed.refusal);
    if (answer.find('\n') != answer.size() - 1) std::abort();
    return 0;
  }
  for (const char* key : {"service", "target", "connection", "level", "for", "json"}) {
    (void)parsed.request->text(key);
    (void)parsed.request->number(key);
    (void)parsed.request->texts(key);
    (void)parsed.request->flag(key);
    (void)parsed.request->duration(key);
  }
  return 0;
}
