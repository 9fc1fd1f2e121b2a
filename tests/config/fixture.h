// SPDX-License-Identifier: MIT
// What the tests of the configuration share: texts in, problems out, and folders of files.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/load.h"

namespace tunnel::config {

// Everything that is reported about a text that is called "t.toml".
inline std::string problems(const std::string& text, System system = System::leave_alone) {
  return parse(text, "t.toml", system).render();
}

// A service that is right, for tests that add a line of their own: it becomes line 4.
inline const std::string kService =
    "[ldap]\n"
    "accept = \"127.0.0.1:389\"\n"
    "connect = \"ldap.example.com:636\"\n";

// The only service of a text without problems.
inline Service service_of(const std::string& text, System system = System::leave_alone) {
  Document document = parse(text, "/etc/tunnel/t.toml", system);
  REQUIRE(document.render() == "");
  REQUIRE(document.config.services.size() == 1);
  return document.config.services[0];
}

// A folder with files, gone at the end.
class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(name_) != nullptr); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(name_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const {
    return std::string(name_) + "/" + name;
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  char name_[32] = "/tmp/tunnel-test-XXXXXX";
};

}  // namespace tunnel::config
