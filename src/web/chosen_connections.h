// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "admin/protocol.h"
#include "admin/status.h"
#include "web/request.h"

namespace tunnel::web {

// The connections that a query asks for, in its order: of one service, with some text in a field.
// They are the status's. Pure.
using Chosen = std::vector<const admin::ConnectionStatus*>;
[[nodiscard]] Chosen chosen(const admin::Status& status, const Query& query);

// "ldap[12]", as the log has it; of a connection that is open or over.
template <class Connection>
[[nodiscard]] std::string name_of(const Connection& connection) {
  return connection.service + "[" + std::to_string(connection.id) + "]";
}

// The answer of /connections.json: those of `query` by service and number, from the one behind
// `query.after` on and as many as `query.limit` says. Pure.
[[nodiscard]] admin::Json listing(const admin::Status& status, const Query& query);

}  // namespace tunnel::web
