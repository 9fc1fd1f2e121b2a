// SPDX-License-Identifier: MIT
// What a word of OpenSSL's cipher lists stands for ("kECDHE", "AES128", the name of a suite). Pure;
// any thread.
#pragma once

#include <optional>
#include <string_view>

#include "import/openssl_suites.h"

namespace tunnel::import {

// A set of the members of one of OpensslSuite's enumerations: a bit for each.
using OpensslSet = unsigned;

constexpr OpensslSet kAnyOpenssl = ~0U;

template <class... E>
constexpr OpensslSet openssl_set(E... members) {
  return (0U | ... | (1U << static_cast<unsigned>(members)));
}

template <class E>
constexpr bool has(OpensslSet set, E member) {
  return (set & openssl_set(member)) != 0;
}

constexpr OpensslSet kNoEncryption = openssl_set(OpensslEnc::null);
constexpr OpensslSet kEncryption = kAnyOpenssl & ~kNoEncryption;

// What one rule of a list selects: the suites that are in every set.
struct OpensslPattern {
  OpensslSet kx = kAnyOpenssl;
  OpensslSet au = kAnyOpenssl;
  OpensslSet enc = kAnyOpenssl;
  OpensslSet mac = kAnyOpenssl;
  OpensslSet since = kAnyOpenssl;
  bool only_default = false;
  bool only_not_default = false;
  bool only_fips = false;
  const OpensslSuite* suite = nullptr;

  [[nodiscard]] bool matches(const OpensslSuite& s) const {
    return (suite == nullptr || suite == &s) && has(kx, s.kx) && has(au, s.au) && has(enc, s.enc) &&
           has(mac, s.mac) && has(since, s.since) && (!only_default || s.in_default) &&
           (!only_not_default || !s.in_default) && (!only_fips || s.fips);
  }

  void narrow(const OpensslPattern& other) {
    kx &= other.kx;
    au &= other.au;
    enc &= other.enc;
    mac &= other.mac;
    since &= other.since;
    only_default |= other.only_default;
    only_not_default |= other.only_not_default;
    only_fips |= other.only_fips;
    if (other.suite != nullptr) suite = other.suite;
  }
};

// The pattern of an alias or of a suite's name, OpenSSL's or IANA's.
[[nodiscard]] std::optional<OpensslPattern> find_openssl_pattern(std::string_view name);

// Whether OpenSSL 3 is no longer built with what the name stands for, so that it selects nothing.
[[nodiscard]] bool is_gone_from_openssl(std::string_view name);

}  // namespace tunnel::import
