// SPDX-License-Identifier: MIT
// What one section of a stunnel.conf says, the global part before it included: options in the order
// in which stunnel reads them, so that the last of a scalar holds, lists add up, and the options
// that set several switches overwrite one another. Values only; one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/value.h"

namespace tunnel::import {

struct StunnelOption;

// One option where it is written.
struct StunnelGiven {
  const StunnelOption* option = nullptr;
  std::string value;
  config::Position name_at;
  config::Position value_at;
};

struct StunnelSection {
  using Scalar = const StunnelGiven*;  // null: not given. Borrowed from the reader
  using List = std::vector<const StunnelGiven*>;

  std::string name;         // of the section; empty for the global part
  config::Position header;  // for the global part: the top of the file

  // Of the process; in the global part only, or with effect there only.
  Scalar chroot = nullptr, foreground = nullptr, output = nullptr, pid = nullptr, syslog = nullptr,
         debug = nullptr, setuid = nullptr, setgid = nullptr;

  // The plaintext side.
  Scalar client = nullptr, service = nullptr, exec = nullptr, exec_args = nullptr, retry = nullptr;
  List accept;

  // The targets and what is said to them before TLS.
  Scalar failover = nullptr, delay = nullptr, local = nullptr, protocol = nullptr,
         protocol_authentication = nullptr, protocol_host = nullptr, protocol_username = nullptr,
         protocol_password = nullptr;
  List connect, protocol_header, socket;

  // TLS.
  Scalar sni = nullptr, ca_file = nullptr, ca_path = nullptr, crl_file = nullptr,
         crl_path = nullptr, cert = nullptr, key = nullptr, psk_identity = nullptr,
         psk_secrets = nullptr, session_resume = nullptr;
  List checks;   // checkHost, checkIP and checkEmail: one match of any kind will do
  List openssl;  // what is_openssl_setting() knows
  bool verify_chain = false, verify_peer = false;
  Scalar verification = nullptr;  // the last option that touched one of the two

  Scalar timeout_busy = nullptr, timeout_close = nullptr, timeout_connect = nullptr,
         timeout_idle = nullptr;
};

}  // namespace tunnel::import
