// SPDX-License-Identifier: MIT
// Paths, what may stand in the place of one, and places of the log.
#include <algorithm>

#include "base/text.h"
#include "config/codec.h"

namespace tunnel::config {

void Codec<Type::path>::read(Reader& reader, const Option& option, const Value& value,
                             std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) target = reader.absolute(value, *text);
}

std::string Codec<Type::path>::print(const std::string& value) {
  return value.empty() ? "" : toml_quoted(value);
}

bool is_passed_socket(std::string_view text) { return text.starts_with("fd:"); }

// As systemd has it for FileDescriptorName=: colons part the names in LISTEN_FDNAMES.
bool is_socket_name(std::string_view name) {
  const bool is_plain =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c < 127 && c != ':'; });
  return !name.empty() && name.size() <= 255 && is_plain;
}

void Codec<Type::path_or_off>::read(Reader& reader, const Option& option, const Value& value,
                                    std::string& target) {
  const auto* text = value.as<std::string>();
  const bool is_passed =
      text != nullptr && is_passed_socket(*text) && is_socket_name(text->substr(3));
  if (is_passed || (text != nullptr && *text == "off")) {
    target = *text;
    return;
  }
  // Without a slash it would become a file of that name.
  if (text != nullptr && text->find('/') == std::string::npos &&
      text->find(':') != std::string::npos && parse_host_port(*text)) {
    return reader.error(
        value, in_quotes(option.key) + " is a unix socket, not the address " + in_quotes(*text),
        "write a path, such as \"/run/tunnel/control.sock\"");
  }
  return Codec<Type::path>::read(reader, option, value, target);
}

void Codec<Type::readable_path>::read(Reader& reader, const Option& option, const Value& value,
                                      std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) {
    target = reader.absolute(value, *text);
    reader.check_readable(value, target, Reader::Folder::refused);
  }
}

void Codec<Type::secret_path>::read(Reader& reader, const Option& option, const Value& value,
                                    std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) {
    target = reader.credential_or_path(value, *text);
    reader.check_readable(value, target, Reader::Folder::refused);
  }
}

void Codec<Type::readable_paths>::read(Reader& reader, const Option& option, const Value& value,
                                       std::vector<std::string>& target) {
  target.clear();
  for (const Value* text : read_texts(reader, option, value)) {
    target.push_back(reader.absolute(*text, *text->as<std::string>()));
    reader.check_readable(*text, target.back(), Reader::Folder::allowed);
  }
}

void Codec<Type::program>::read(Reader& reader, const Option& option, const Value& value,
                                std::string& target) {
  if (const auto* text = plain_text(reader, option, value)) {
    target = reader.absolute(value, *text);
    reader.check_executable(value, target);
  }
}

void Codec<Type::path_or_uri>::read(Reader& reader, const Option& option, const Value& value,
                                    std::string& target) {
  const auto* text = value.as<std::string>();
  if (text == nullptr || !text->starts_with("pkcs11:")) {
    return Codec<Type::secret_path>::read(reader, option, value, target);
  }
  if (is_plain(reader, option, value)) target = *text;
}

void Codec<Type::log_target>::read(Reader& reader, const Option& option, const Value& value,
                                   std::vector<std::string>& target) {
  std::size_t files = 0;
  for (const Value* each : read_texts(reader, option, value)) {
    const std::string& text = *each->as<std::string>();
    const bool is_word = text == "stderr" || text == "syslog" || text == "journal";
    if (!is_word) ++files;
    target.push_back(is_word ? text : reader.absolute(*each, text));
  }
  const bool is_pair = target.size() == 2 && files == 1 &&
                       std::find(target.begin(), target.end(), "stderr") != target.end();
  if (target.size() > 1 && !is_pair) {
    reader.error(value, in_quotes(option.key) + " is one place, or a file and \"stderr\"",
                 "log_file = [\"/var/log/tunnel.log\", \"stderr\"]");
  }
}

}  // namespace tunnel::config
