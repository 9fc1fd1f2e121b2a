// SPDX-License-Identifier: MIT
#include "admin/control_path.h"

#include <doctest/doctest.h>

namespace tunnel::admin {

TEST_SUITE("control path") {
  TEST_CASE("systemd's folder comes first") {
    const auto path = control_path("/etc/tunnel/ldap.toml", {"/run/tunnel-x", "/run/user/5", 0});
    CHECK(path == ControlPath{"/run/tunnel-x/control.sock", ""});
  }

  TEST_CASE("root has a folder named after the file") {
    CHECK(control_path("/etc/tunnel/ldap.toml", {"", "/run/user/0", 0}) ==
          ControlPath{"/run/tunnel-ldap/control.sock", "/run/tunnel-ldap"});
    CHECK(control_path("/etc/stunnel.d/old.mail.conf", {"", "", 0})->socket ==
          "/run/tunnel-old.mail/control.sock");
    CHECK(control_path("/etc/tunnel", {"", "", 0})->socket == "/run/tunnel-tunnel/control.sock");
    CHECK(control_path("/etc/.hidden", {"", "", 0})->socket == "/run/tunnel-.hidden/control.sock");
  }

  TEST_CASE("other users have it in their own runtime folder, or nowhere") {
    CHECK(control_path("t.toml", {"", "/run/user/5", 5}) ==
          ControlPath{"/run/user/5/tunnel-t/control.sock", "/run/user/5/tunnel-t"});
    CHECK_FALSE(control_path("t.toml", {"", "", 5}).has_value());
    CHECK_FALSE(control_path("t.toml", {"relative", "relative", 5}).has_value());
  }
}

}  // namespace tunnel::admin
