// SPDX-License-Identifier: MIT
// Keys of a service that are not read into a member of their own, or not as others of their type.
// Included by schema_service.cc only.
#pragma once

#include "config/model.h"
#include "config/reader.h"
#include "config/schema.h"

namespace tunnel::config {

void read_client(Reader& reader, const Option& option, const Setting& setting, Service& service);
[[nodiscard]] Printed print_client(const Service& service);

void read_proxy_headers(Reader& reader, const Option& option, const Setting& setting,
                        Service& service);
[[nodiscard]] Printed print_proxy_headers(const Service& service);

void read_exec_args(Reader& reader, const Option& option, const Setting& setting, Service& service);
[[nodiscard]] Printed print_exec_args(const Service& service);

}  // namespace tunnel::config
