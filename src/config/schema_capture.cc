// SPDX-License-Identifier: MIT
// The option table: keys of a service's capture table.
#include <array>

#include "config/row.h"

namespace tunnel::config {

template <>
struct Words<CaptureLayer> {
  static constexpr auto kWords = std::to_array<Word>({
      {"plain", static_cast<int>(CaptureLayer::plain)},
      {"wire", static_cast<int>(CaptureLayer::wire)},
  });
};

namespace {

// The longest packet that libpcap and Wireshark take.
constexpr std::int64_t kLongestSegment = 262'144;
constexpr std::int64_t kLargestFile = std::int64_t{1} << 40U;

constexpr auto kCaptureRows = std::to_array<Row<Capture>>({
    row<Type::path, &Capture::file>(
        {.key = "file",
         .help = "Where the traffic goes, as pcapng for Wireshark. \"/var/lib/tunnel/ldap.pcapng\" "
                 "stands for a ring of files ldap_00001_20261125190000.pcapng, ldap_00002_... for "
                 "this process's user alone. They hold what clients send, passwords included."}),
    row<Type::choice, &Capture::layer>(
        {.key = "layer",
         .standard = "\"plain\"",
         .help = "What is captured. \"plain\" is what the application sees, decrypted; \"wire\" is "
                 "what "
                 "goes over the network to the targets, failed handshakes included, with the keys "
                 "that decrypt it in the file."}),
    row<Type::ranges, &Capture::clients>(
        {.key = "clients",
         .help =
             "Only connections of these clients. Without it: all. Clients without an IP address "
             "count as 127.0.0.1."}),
    row<Type::size_or_off, &Capture::snaplen>(
        {.key = "snaplen",
         .standard = "\"off\"",
         .help = "How much of each segment is kept, such as 256. \"off\" keeps all.",
         .min = 1,
         .max = kLongestSegment}),
    row<Type::size, &Capture::max_size>(
        {.key = "max_size",
         .standard = "\"64MiB\"",
         .help = "How large one file becomes before the next one is begun.",
         .min = 1024,
         .max = kLargestFile}),
    row<Type::integer, &Capture::files>(
        {.key = "files",
         .standard = "4",
         .help = "How many files there are, those of earlier runs included; the oldest goes.",
         .min = 1,
         .max = 99'999}),
    row<Type::timeout, &Capture::duration>(
        {.key = "duration",
         .standard = "\"off\"",
         .help = "How long, from the start of the process. \"off\" has no end.",
         .min = 1}),
    row<Type::integer, &Capture::port>(
        {.key = "port",
         .help =
             "The target's port as it is written to the file in layer \"plain\". Without it the "
             "one under which Wireshark knows the plaintext: that of the `starttls` or "
             "health.check protocol, 389 for 636, 143 for 993, and so on.",
         .min = 1,
         .max = 65'535}),
});

}  // namespace

template <>
std::span<const Row<Capture>> rows<Capture>() {
  return kCaptureRows;
}

}  // namespace tunnel::config
