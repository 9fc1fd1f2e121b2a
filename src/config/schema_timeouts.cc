// SPDX-License-Identifier: MIT
// The option table: keys of [NAME.timeouts] and [NAME.keepalive].
#include <array>

#include "config/row.h"

namespace tunnel::config {
namespace {

constexpr auto kTimeoutsRows = std::to_array<Row<Timeouts>>({
    row<Type::timeout, &Timeouts::resolve>(
        {.key = "resolve",
         .standard = "\"5s\"",
         .help = "How long a connection waits for DNS when no answer is at hand yet.",
         .min = 1}),
    row<Type::timeout, &Timeouts::connect>(
        {.key = "connect",
         .stunnel = "TIMEOUTconnect",
         .standard = "\"5s\"",
         .help = "How long a TCP connection may take, for each address.",
         .min = 1}),
    row<Type::timeout, &Timeouts::handshake>(
        {.key = "handshake",
         .stunnel = "TIMEOUTbusy",
         .standard = "\"10s\"",
         .help = "How long the TLS handshake may take, with all that is said before it.",
         .min = 1}),
    row<Type::timeout, &Timeouts::dial>(
        {.key = "dial",
         .standard = "\"30s\"",
         .help = "How long a client waits until one of the targets is established, all attempts "
                 "together.",
         .min = 1}),
    row<Type::timeout, &Timeouts::idle>(
        {.key = "idle",
         .stunnel = "TIMEOUTidle",
         .standard = "\"off\"",
         .help = "Resets a connection that has carried no data for this long.",
         .min = 1}),
    row<Type::timeout, &Timeouts::half_close>(
        {.key = "half_close",
         .stunnel = "TIMEOUTclose",
         .standard = "\"5m\"",
         .help = "After one side has ended: how long the other may be silent before the connection "
                 "is reset.",
         .min = 1}),
});

constexpr auto kKeepaliveRows = std::to_array<Row<Keepalive>>({
    row<Type::duration, &Keepalive::idle>(
        {.key = "idle",
         .standard = "\"60s\"",
         .help = "How long a connection is quiet before the first probe.",
         .min = 1000,
         .max = 32'767'000}),
    row<Type::duration, &Keepalive::interval>({.key = "interval",
                                               .standard = "\"10s\"",
                                               .help = "The time between probes.",
                                               .min = 1000,
                                               .max = 32'767'000}),
    row<Type::integer, &Keepalive::count>(
        {.key = "count",
         .standard = "6",
         .help = "How many probes may stay unanswered before the connection is lost.",
         .min = 1,
         .max = 127}),
});

}  // namespace

template <>
std::span<const Row<Timeouts>> rows<Timeouts>() {
  return kTimeoutsRows;
}
template <>
std::span<const Row<Keepalive>> rows<Keepalive>() {
  return kKeepaliveRows;
}

}  // namespace tunnel::config
