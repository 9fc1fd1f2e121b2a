// SPDX-License-Identifier: MIT
// libFuzzer target of the configuration reader: any bytes give a document, never a crash; and what
// was read without errors prints to a text that reads back to the same model.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/print.h"
#include "import/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tunnel::config;
  std::string text(reinterpret_cast<const char*>(bytes), size);
  const Document document =
      tunnel::import::parse(std::move(text), "/fuzz/tunnel.toml", System::leave_alone);
  (void)document.render();
  if (document.has_errors()) return 0;
  const std::string printed = print(document.config);
  const Document again = tunnel::import::parse(printed, "/fuzz/tunnel.toml", System::leave_alone);
  if (again.has_errors() || again.config != document.config) std::abort();
  return 0;
}
