// SPDX-License-Identifier: MIT
#include "config/document.h"

#include <utility>

namespace tunnel::config {
namespace {

// Entry `index` of an array, those of arrays in it counted through; nullptr: it is not there.
const Value* entry_of(const Value& value, int index) {
  const auto* array = value.as<Array>();
  if (array == nullptr || index < 0) return nullptr;
  auto left = static_cast<std::size_t>(index);
  for (const Value& entry : *array) {
    const auto* group = entry.as<Array>();
    const std::size_t size = group != nullptr ? group->size() : 1;
    if (left < size) return group != nullptr ? &(*group)[left] : &entry;
    left -= size;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> Document::files() const {
  std::vector<std::string> files;
  for (std::uint32_t i = 0; i < diagnostics_->source_count(); ++i) {
    const Source& source = diagnostics_->source(i);
    files.push_back(source.folder() + "/" + source.path().substr(source.path().rfind('/') + 1));
  }
  return files;
}

Setting Document::find(std::string_view service, std::string_view key) const {
  Setting setting;
  if (service.empty()) {
    // Included files hold services only.
    if (!roots_.empty()) setting = Setting(roots_.front().get());
  } else if (const auto found = services_.find(service); found != services_.end()) {
    setting = found->second.setting;
  }
  while (setting.is_set() && !key.empty()) {
    const std::size_t dot = key.find('.');
    setting = setting.child(key.substr(0, dot));
    key = dot == std::string_view::npos ? "" : key.substr(dot + 1);
  }
  return setting;
}

Position Document::position(std::string_view service, std::string_view key, int index) const {
  for (std::string_view rest = key; !rest.empty();) {
    if (const Setting setting = find(service, rest); setting.is_set()) {
      const Value* entry = rest == key ? entry_of(setting.value(), index) : nullptr;
      return entry != nullptr ? entry->position : setting.value().position;
    }
    const std::size_t dot = rest.rfind('.');
    rest = dot == std::string_view::npos ? "" : rest.substr(0, dot);
  }
  const auto found = services_.find(service);
  return found != services_.end() ? found->second.header : Position{};
}

void Document::problem(std::string_view service, std::string_view key, int index, std::string text,
                       std::string hint) {
  const Position at = position(service, key, index);
  if (diagnostics_->has_error_at(at)) return;
  diagnostics_->error(at, std::move(text), std::move(hint));
}

void Document::warning(std::string_view service, std::string_view key, int index, std::string text,
                       std::string hint) {
  diagnostics_->warning(position(service, key, index), std::move(text), std::move(hint));
}

}  // namespace tunnel::config
