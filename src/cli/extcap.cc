// SPDX-License-Identifier: MIT
#include "cli/extcap.h"

#include <fcntl.h>
#include <glob.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "admin/control_client.h"
#include "base/address.h"
#include "base/text.h"
#include "cli/capture_reader.h"
#include "cli/running_instances.h"
#include "cli/validators.h"

namespace tunnel::cli {
namespace {

using admin::Json;

constexpr std::string_view kScheme = "tunnel:";
// Wireshark asks at each start, and waits for the answer.
constexpr Millis kListPatience{1'000};

// Options stand as separate words, or behind "=". An option that is not known is passed over:
// later versions of Wireshark have more.
class Words {
 public:
  explicit Words(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (!words[i].starts_with("--")) continue;
      const std::size_t equals = words[i].find('=');
      const bool has_next = i + 1 < words.size() && !words[i + 1].starts_with("--");
      values_[words[i].substr(0, equals)] = equals != std::string::npos
                                                ? words[i].substr(equals + 1)
                                            : has_next ? words[i + 1]
                                                       : "";
    }
  }
  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] std::string value(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }

 private:
  std::map<std::string, std::string> values_;
};

void add_matches(const std::string& pattern, std::set<std::string>& paths) {
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.insert(found.gl_pathv[i]);
  }
  ::globfree(&found);
}

// Where instances have their control sockets unless the configuration says otherwise, where those
// of running ones do say otherwise, and what TUNNEL_CONTROL names (separated by colons): instances
// whose socket is mounted from another place, or whose processes are not to be seen.
std::set<std::string> control_sockets() {
  std::set<std::string> paths = configured_control_sockets();
  add_matches("/run/tunnel*/control.sock", paths);
  add_matches("/run/tunnel/*/control.sock", paths);
  if (const char* folder = std::getenv("XDG_RUNTIME_DIR"); folder != nullptr && folder[0] == '/') {
    add_matches(std::string(folder) + "/tunnel-*/control.sock", paths);
  }
  if (const char* more = std::getenv("TUNNEL_CONTROL")) {
    std::string_view rest = more;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) paths.emplace(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
  }
  return paths;
}

// What is shown between braces must not end them. For people only: what comes back is `coded`.
std::string shown(std::string_view text) {
  std::string safe = printable(text);
  for (char& c : safe) {
    if (c == '{' || c == '}') c = ' ';
  }
  return safe;
}

// A part of the name of an interface, which Wireshark takes out of its braces and gives back. The
// names of services, and of folders, may have a colon or a brace in them.
std::string coded(std::string_view text) {
  constexpr std::string_view kSpecial = "%:{}";
  std::string name;
  for (const char c : text) {
    const bool is_plain = c > ' ' && c < '\x7f' && kSpecial.find(c) == std::string_view::npos;
    name += is_plain ? std::string(1, c) : percent_encoded({&c, 1});
  }
  return name;
}

std::vector<std::string> services_of(const std::string& socket) {
  std::vector<std::string> names;
  auto client = admin::ControlClient::connect(socket, kListPatience);
  // Left out without a word: the list is asked for at each start of Wireshark, by people who may
  // have no instance.
  if (!client) return names;
  const auto answer = client->ask(Json{{"command", "status"}}, kListPatience);
  if (!answer || !answer->value("ok", false)) return names;
  for (const Json& service : (*answer)["status"]["services"]) {
    names.push_back(service.value("service", ""));
  }
  return names;
}

Outcome list_interfaces() {
  std::string text =
      "extcap {version=" TUNNEL_VERSION "}{display=tunnel: decrypted traffic of TLS connections}\n";
  for (const std::string& socket : control_sockets()) {
    for (const std::string& service : services_of(socket)) {
      text += "interface {value=" + std::string(kScheme) + coded(socket) + ":" + coded(service) +
              "}{display=tunnel: " + shown(service) + " (plaintext)}\n";
    }
  }
  return {0, text, ""};
}

Outcome list_options() {
  return {0,
          "arg {number=0}{call=--client}{display=Clients}{type=string}"
          "{tooltip=Only connections of this address or range, such as 10.0.0.0/8}\n"
          "arg {number=1}{call=--layer}{display=Layer}{type=selector}"
          "{tooltip=What the application sees, or what goes over the network with its keys}\n"
          "value {arg=1}{value=plain}{display=Plaintext}{default=true}\n"
          "value {arg=1}{value=wire}{display=Network, with keys}{default=false}\n"
          "arg {number=2}{call=--snaplen}{display=Bytes of each segment}{type=unsigned}"
          "{tooltip=Empty or 0: all}\n"
          "arg {number=3}{call=--duration}{display=Duration}{type=string}"
          "{tooltip=Such as 60s; empty: until stopped}\n"
          "arg {number=4}{call=--max-size}{display=Size}{type=string}"
          "{tooltip=Such as 64MiB; empty: no limit}\n",
          ""};
}

Outcome failure(const std::string& text) { return {kFailed, "", "tunnelcap: " + text + "\n"}; }

struct Interface {
  std::string socket, service;
};
std::optional<Interface> parse_interface(const std::string& text) {
  // The last colon: a path that a person has written may hold some.
  const std::size_t colon = text.rfind(':');
  if (!text.starts_with(kScheme) || colon == std::string::npos || colon < kScheme.size()) {
    return std::nullopt;
  }
  const std::string_view rest = text;
  return Interface{percent_decoded(rest.substr(kScheme.size(), colon - kScheme.size())),
                   percent_decoded(rest.substr(colon + 1))};
}

// A sentence, or empty. Wireshark asks before it captures.
std::string wrong_filter(const std::string& filter) {
  if (filter.empty()) return {};
  const auto range = Cidr::parse(filter);
  return range ? "" : "the filter is an address or range of clients, such as 10.0.0.0/8";
}

Outcome capture(const Words& words) {
  const auto interface = parse_interface(words.value("--extcap-interface"));
  if (!interface) {
    return failure("there is no interface " + in_quotes(words.value("--extcap-interface")));
  }
  Json request{{"services", {interface->service}}, {"layer", "plain"}, {"clients", Json::array()}};
  if (words.value("--layer") == "wire") request["layer"] = "wire";
  for (const char* name : {"--client", "--extcap-capture-filter"}) {
    const std::string range = words.value(name);
    if (range.empty()) continue;
    if (const std::string wrong = wrong_filter(range); !wrong.empty()) return failure(wrong);
    request["clients"].push_back(range);
  }
  constexpr std::array kSizes = {std::pair("--snaplen", "snaplen"),
                                 std::pair("--max-size", "max_size")};
  for (const auto& [name, key] : kSizes) {
    const std::string text = words.value(name);
    if (text.empty()) continue;
    const auto size = parse_size(text);
    if (!size) return failure(size.error().text);
    if (*size > 0) request[key] = *size;
  }
  if (const std::string text = words.value("--duration"); !text.empty()) {
    const auto duration = parse_duration(with_unit(text));
    if (!duration) return failure(duration.error().text);
    request["for_ms"] = duration->count();
  }
  const Fd fifo(::open(words.value("--fifo").c_str(), O_WRONLY | O_CLOEXEC));
  if (!fifo.valid()) return failure("cannot write to " + in_quotes(words.value("--fifo")));
  auto client = admin::ControlClient::connect(interface->socket);
  if (!client) return failure(client.error().text);
  const auto answer = CaptureReader::begin(*client, request);
  if (!answer) return failure(answer.error().text);
  if (!answer->value("ok", false)) {
    const auto lines = answer->value("lines", std::vector<std::string>());
    return failure(lines.empty() ? "the instance has refused" : printable(lines.front(), 4096));
  }
  const auto pumped = CaptureReader::pump(std::move(*client), fifo, [](const PacketCount&) {});
  return pumped ? Outcome{} : failure(pumped.error().text);
}

}  // namespace

bool is_extcap(const char* program) {
  const std::string_view path = program != nullptr ? program : "";
  return path.substr(path.rfind('/') + 1) == "tunnelcap";
}

// Wireshark runs the program anew for each question: which interfaces there are, of which link
// type, with which options, and whether a filter is good. Then it runs it once more for the
// capture, whose packets go into a FIFO that Wireshark reads.
Outcome run_extcap(const std::vector<std::string>& arguments) {
  const Words words(arguments);
  if (words.has("--extcap-interfaces")) return list_interfaces();
  // LINKTYPE_RAW, as in the files.
  if (words.has("--extcap-dlts")) return {0, "dlt {number=101}{name=RAW}{display=Raw IP}\n", ""};
  if (words.has("--extcap-config")) return list_options();
  // Before the filter alone: with --capture, the filter is one of its options.
  if (words.has("--capture")) return capture(words);
  if (words.has("--extcap-capture-filter")) {
    const std::string wrong = wrong_filter(words.value("--extcap-capture-filter"));
    return {0, wrong.empty() ? "" : wrong + "\n", ""};
  }
  return {kMisused, "",
          "tunnelcap: this name of tunnel is for Wireshark, which finds it in its extcap folder\n"};
}

}  // namespace tunnel::cli
