// SPDX-License-Identifier: MIT
// Prints what each cipher list of the command line selects, one line a list, for the comparison
// with OpenSSL's own answer (compare_openssl.py). With "N=LIST", only what security level N allows.
#include <cstdio>
#include <string_view>

#include "import/openssl_ciphers.h"

int main(int argc, char** argv) {
  using namespace tunnel::import;
  for (int i = 1; i < argc; ++i) {
    std::string_view text = argv[i];
    int level = 0;
    if (text.size() > 2 && text[1] == '=' && text[0] >= '0' && text[0] <= '5') {
      level = text[0] - '0';
      text.remove_prefix(2);
    }
    const OpensslCipherList list = evaluate_openssl_ciphers(text);
    if (!list.error.empty() || list.suites.empty()) {
      std::printf("error\n");
      continue;
    }
    for (const OpensslSuite* suite : list.suites) {
      if (is_allowed_at(level, *suite)) {
        std::printf("%.*s ", static_cast<int>(suite->name.size()), suite->name.data());
      }
    }
    std::printf("\n");
  }
}
