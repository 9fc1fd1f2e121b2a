// SPDX-License-Identifier: MIT
#include "cli/instance.h"

#include "admin/control_path.h"
#include "base/text.h"
#include "import/load.h"

namespace tunnel::cli {
namespace {

// The longest text an answer may have is a list of diagnostics.
constexpr std::size_t kLongestLine = 65'536;

// What the file says now; when it cannot be read any more, the instance is at the default place, if
// anywhere.
Result<std::string> socket_of(const std::string& config) {
  // Without opening or looking up what it names: that is the instance's business, and the person
  // who asks may not be allowed to read its keys.
  const config::Document document = import::load(config, config::System::leave_alone);
  const std::string& control = document.config.global.control;
  if (control == "off") {
    return failed(ErrorCode::invalid, printable(config, 4096) +
                                          " has control = \"off\": its instance cannot be reached");
  }
  if (control.starts_with("fd:")) {
    return failed(ErrorCode::invalid,
                  printable(config, 4096) + " has control = \"" + control +
                      "\": name the path that the socket unit has, with --control");
  }
  if (!control.empty()) return control;
  const auto path = admin::control_path(config, admin::ControlSurroundings::of_process());
  if (path) return path->socket;
  return failed(ErrorCode::not_found,
                "there is no place for a control socket: set XDG_RUNTIME_DIR, or `control` in " +
                    printable(config, 4096) + ", or name it with --control");
}

std::string lines_of(const admin::Json& answer, const std::string& prefix) {
  std::string text;
  const auto lines = answer.find("lines");
  if (lines == answer.end() || !lines->is_array()) return text;
  for (const admin::Json& line : *lines) {
    if (!line.is_string()) continue;
    // The instance's own words, which may quote a file: its line ends stay.
    std::string rest = line.get<std::string>();
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      text += prefix + printable(rest.substr(0, end), kLongestLine) + "\n";
      rest.erase(0, end == std::string::npos ? end : end + 1);
    }
  }
  return text;
}

}  // namespace

Result<admin::ControlClient> Instance::connect() const {
  if (!control.empty()) return admin::ControlClient::connect(control);
  const auto socket = socket_of(config);
  if (!socket) return tl::unexpected(socket.error());
  return admin::ControlClient::connect(*socket);
}

Outcome printed(const admin::Json& answer, Form form) {
  const bool is_done = answer.value("ok", false);
  const int status = is_done ? 0 : kFailed;
  if (form == Form::json) {
    // Without the handler, dump() throws at bytes that are not UTF-8.
    return {status, answer.dump(-1, ' ', false, admin::Json::error_handler_t::replace) + "\n", ""};
  }
  if (is_done) return {status, lines_of(answer, ""), ""};
  return {status, "", lines_of(answer, "")};
}

Outcome unreachable(const Error& error) { return {kFailed, "", "tunnel: " + error.text + "\n"}; }

}  // namespace tunnel::cli
