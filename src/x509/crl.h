// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "x509/handles.h"
#include "x509/problem.h"

namespace tunnel::x509 {

// Certificate revocation lists (RFC 5280 section 5), loaded, with their entries sorted. Fails
// closed: GnuTLS alone would let a certificate pass that no current list covers. Immutable after
// loading; any thread.
class RevocationLists {
 public:
  RevocationLists() = default;
  [[nodiscard]] static RevocationLists load(const std::vector<std::string>& paths,
                                            Problems& problems);
  [[nodiscard]] bool empty() const { return by_issuer_.empty(); }
  // When the first issuer has no current list any more; 0: never, or there is none.
  [[nodiscard]] std::time_t next_update() const;

  enum class State { good, revoked, missing, unusable };
  struct Finding {
    State state = State::missing;
    std::time_t revoked_at = 0;
    // good: until then the lists cannot say anything else
    std::time_t good_until = std::numeric_limits<std::time_t>::max();
    std::string text = {};  // revoked: where the list is; unusable: why, "is out of date since ..."
  };
  // What the lists of `issuer` say of a certificate. A list must be signed by the issuer with an
  // algorithm that `verify_flags` accept, and be current; of several, any such one does.
  [[nodiscard]] Finding look_up(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
                                std::time_t now, unsigned verify_flags) const;
  // The same, of a certificate that need not be covered: only whether it is revoked. Costs a
  // signature check only when a list has its number.
  [[nodiscard]] std::optional<Finding> find_revoked(gnutls_x509_crt_t certificate,
                                                    gnutls_x509_crt_t issuer, std::time_t now,
                                                    unsigned verify_flags) const;

 private:
  struct Entry {
    std::string serial;  // without leading zeros
    std::time_t revoked_at;
  };
  struct List {
    CrlHandle handle;  // for its signature
    std::string origin;
    std::time_t next_update = -1;  // -1: none given
    std::time_t this_update = -1;
    bool partial = false;        // it says itself that it does not cover everything
    bool is_read_to_end = true;  // else an entry cannot be read, and those behind it are not known
    std::vector<Entry> entries;
  };
  // The entry with that number, or null.
  static const Entry* find_entry(const List& list, const std::string& serial);
  static List read(CrlHandle handle, std::string origin);
  static std::string why_unusable(const List& list, gnutls_x509_crt_t issuer, std::time_t now,
                                  unsigned verify_flags);

  std::map<std::string, std::vector<List>, std::less<>> by_issuer_;  // by DN, in DER
};

}  // namespace tunnel::x509
