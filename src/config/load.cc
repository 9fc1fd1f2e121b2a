// SPDX-License-Identifier: MIT
#include "config/load.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/text.h"
#include "config/codec.h"
#include "config/cross_checks.h"
#include "config/environment.h"
#include "config/include.h"
#include "config/key_hints.h"
#include "config/reader.h"
#include "config/schema.h"
#include "config/toml_reader.h"
#include "config/unknown_keys.h"
#include "config/unreadable.h"

namespace tunnel::config {
namespace {

constexpr std::string_view kDefaults = "defaults";
constexpr std::size_t kMostServices = 10'000;

}  // namespace

// Builds one Document: texts to trees, trees to the model, then what only the whole can tell.
class Builder {
 public:
  Builder(System system, const Foreign& foreign)
      : document_(foreign),
        diagnostics_(*document_.diagnostics_),
        reader_(diagnostics_, system, foreign) {}

  Document build(std::unique_ptr<Source> main) {
    document_.config.path = main->path();
    const bool is_toml = document_.foreign_.read == nullptr;
    if (is_toml ? add_tree(std::move(main)) : add_translation(std::move(main))) read();
    return std::move(document_);
  }

  Document refuse(const std::string& path, std::string text, std::string hint) {
    document_.config.path = path;
    const std::uint32_t file = diagnostics_.add_source(std::make_unique<Source>(path, ""));
    diagnostics_.error({file, 0, 0}, std::move(text), std::move(hint));
    return std::move(document_);
  }

 private:
  bool add_tree(std::unique_ptr<Source> source) {
    const std::uint32_t file = diagnostics_.add_source(std::move(source));
    TomlReading reading = read_toml(diagnostics_, file, document_.foreign_);
    incomplete_.merge(reading.incomplete);
    if (!reading.root) return false;
    document_.roots_.push_back(std::make_unique<Value>(std::move(*reading.root)));
    return true;
  }

  bool add_translation(std::unique_ptr<Source> source) {
    const std::uint32_t file = diagnostics_.add_source(std::move(source));
    auto translation = document_.foreign_.read(diagnostics_, reader_, file);
    if (!translation) return false;
    document_.roots_.push_back(std::make_unique<Value>(std::move(translation->root)));
    document_.remarks_ = std::move(translation->remarks);
    return true;
  }

  void read() {
    expand_environment();
    read_includes();
    name_a_service();
    read_globals();
    for (const auto& root : document_.roots_) find_services(*root);
    // Every key of [defaults] is read once for its own sake: no service may need it.
    if (defaults_ != nullptr) {
      reader_.set_service(std::string(kDefaults));
      check_keys<Service>(reader_, *defaults_);
      Service scratch;
      read_rows(reader_, Setting(defaults_), scratch);
    }
    for (const Entry* entry : services_) read_service(*entry);
    const bool is_broken = diagnostics_.has_errors();
    if (services_.empty() && !is_broken) {
      const bool has_includes = document_.roots_.front()->as<Table>()->find("include") != nullptr;
      diagnostics_.error({0, 1, 1}, "there is no service in this file",
                         has_includes
                             ? "the files that \"include\" names hold none, either"
                             : "the smallest one is: [ldap], accept = \"127.0.0.1:389\", connect = "
                               "\"ldap.example.com:636\", each on a line of its own");
    }
    leave_incomplete_ones_out();
    cross_check(document_);
  }

  // What a service lacks for a syntax error must not be called missing, here or when its
  // credentials are loaded.
  void leave_incomplete_ones_out() {
    std::erase_if(document_.config.services, [&](const Service& service) {
      return incomplete_.contains(std::string(kDefaults)) || incomplete_.contains(service.name);
    });
  }

  // For the hints about global keys.
  void name_a_service() {
    for (const auto& root : document_.roots_) {
      for (const Entry& entry : root->as<Table>()->entries()) {
        if (is_service(entry)) return reader_.set_service(entry.key);
      }
    }
  }

  // Before anything else looks at the strings: patterns of `include` may have variables, too.
  void expand_environment() {
    Value& main = *document_.roots_.front();
    const Entry* entry = main.as<Table>()->find("expand_environment");
    is_expanding_ = entry != nullptr && read_boolean(entry->value).value_or(false);
    if (is_expanding_) expand(main);
  }

  void expand(Value& root) { root = expanded(reader_, root); }

  void read_includes() {
    const Table& main = *document_.roots_.front()->as<Table>();
    const Entry* include = main.find("include");
    if (include == nullptr) return;
    for (IncludedFile& file : find_included(reader_, include->value, document_.config.path)) {
      auto text = read_text(file.path);
      if (text) {
        const bool is_read = add_tree(std::make_unique<Source>(file.path, std::move(*text)));
        if (is_read && is_expanding_) expand(*document_.roots_.back());
      } else {
        Value at;
        at.position = file.from;
        reader_.error(at, file.path + ": " + text.error().text);
      }
    }
  }

  // A table is a service, anything else at the top is a global key. A key of the global table that
  // is a table nevertheless (`[include]`) is reported by its row.
  static bool is_service(const Entry& entry) {
    return entry.value.as<Table>() != nullptr && entry.key != kDefaults;
  }

  void read_globals() {
    const Table& main = *document_.roots_.front()->as<Table>();
    std::vector<Entry> globals;
    for (const Entry& entry : main.entries()) {
      if (entry.key == kDefaults) {
        read_defaults(entry);
      } else if (is_list_of_tables(entry.value)) {
        report_list_of_tables(entry);
      } else if (!is_service(entry)) {
        globals.push_back(entry);
      }
    }
    Value table;
    table.position = document_.roots_.front()->position;
    table.data = Table(std::move(globals));
    check_keys<Global>(reader_, table);
    read_rows(reader_, Setting(&table), document_.config.global);
    check_included_tops();
  }

  void read_defaults(const Entry& entry) {
    if (entry.value.as<Table>() != nullptr) {
      defaults_ = &entry.value;
    } else {
      reader_.error(entry.value,
                    "\"defaults\" must be a table, not " + std::string(entry.value.kind()));
    }
  }

  static bool is_list_of_tables(const Value& value) {
    const auto* array = value.as<Array>();
    return array != nullptr && !array->empty() && array->front().as<Table>() != nullptr;
  }

  void report_list_of_tables(const Entry& entry) {
    Value at;
    at.position = entry.position;
    reader_.error(at, "a service is one table, not a list of them",
                  "write [" + printable(entry.key, 60) + "] with single brackets");
  }

  void check_included_tops() {
    for (std::size_t i = 1; i < document_.roots_.size(); ++i) {
      for (const Entry& entry : document_.roots_[i]->as<Table>()->entries()) {
        if (is_service(entry)) continue;
        Value at;
        at.position = entry.position;
        if (is_list_of_tables(entry.value)) {
          report_list_of_tables(entry);
        } else {
          reader_.error(
              at, in_quotes(entry.key) + " cannot be in an included file",
              "included files hold services only; write it in " + printable(document_.config.path));
        }
      }
    }
  }

  void find_services(const Value& root) {
    for (const Entry& entry : root.as<Table>()->entries()) {
      if (!is_service(entry)) continue;
      Value at;
      at.position = entry.position;
      if (holds_services(entry)) {
        report_outer_table(entry);
        find_services(entry.value);
        continue;
      }
      if (!check_name(at, entry.key)) continue;
      if (services_.size() == kMostServices) {
        return reader_.error(at,
                             "there are more than " + std::to_string(kMostServices) + " services");
      }
      const auto [existing, is_new] = document_.services_.emplace(
          entry.key, Document::Origin{entry.position, Setting(&entry.value, defaults_)});
      if (!is_new) {
        reader_.error(at, "service " + in_quotes(entry.key) + " is already defined at " +
                              diagnostics_.place(existing->second.header));
        continue;
      }
      services_.push_back(&entry);
    }
  }

  // [services.web]: nothing in it can be a key of a service, but its tables have what services
  // have.
  static bool holds_services(const Entry& entry) {
    const auto& entries = entry.value.as<Table>()->entries();
    const auto is_known = [](const Entry& inner) {
      return std::any_of(rows<Service>().begin(), rows<Service>().end(),
                         [&](const Option& option) { return option.key == inner.key; });
    };
    const auto is_one = [](const Entry& inner) {
      const auto* table = inner.value.as<Table>();
      return table != nullptr &&
             (table->find("accept") != nullptr || table->find("connect") != nullptr);
    };
    return !entries.empty() && std::none_of(entries.begin(), entries.end(), is_known) &&
           std::all_of(entries.begin(), entries.end(), is_one);
  }

  void report_outer_table(const Entry& entry) {
    Value at;
    at.position = entry.position;
    const std::string& first = entry.value.as<Table>()->entries().front().key;
    reader_.error(at, "a service is a table of its own, not one in " + in_quotes(entry.key),
                  "write " + header_of(first) + " instead of [" + printable(entry.key, 60) + "." +
                      printable(first, 60) + "]");
  }

  bool check_name(const Value& at, const std::string& name) {
    const bool is_global = std::any_of(rows<Global>().begin(), rows<Global>().end(),
                                       [&](const Option& option) { return option.key == name; });
    const bool has_control = printable(name, name.size() * 4) != name;
    if (is_global) {
      reader_.error(at, in_quotes(name) + " is a global key, so no service can have this name",
                    "global keys stand before the first table: " + name + " = ...");
    } else if (name.empty() || name.size() > 64 || has_control) {
      reader_.error(
          at, in_quotes(name) + " is not a name for a service: at most 64 bytes of printable text");
    } else {
      return true;
    }
    return false;
  }

  void read_service(const Entry& entry) {
    if (reader_.is_exhausted()) return;
    reader_.set_service(entry.key);
    check_keys<Service>(reader_, entry.value);
    Service service;
    service.name = entry.key;
    read_rows(reader_, Setting(&entry.value, defaults_), service);
    document_.config.services.push_back(std::move(service));
  }

  Document document_;
  Diagnostics& diagnostics_;
  Reader reader_;
  bool is_expanding_ = false;
  const Value* defaults_ = nullptr;
  std::vector<const Entry*> services_;
  std::set<std::string> incomplete_;  // tables that syntax errors have torn
};

Document parse(std::string text, const std::string& path, System system, const Foreign& foreign) {
  return Builder(system, foreign).build(std::make_unique<Source>(path, std::move(text)));
}

Document load(const std::string& path, System system, const Foreign& foreign) {
  auto text = read_text(path);
  if (!text) {
    const bool is_denied = text.error().code == ErrorCode::permission;
    return Builder(system, foreign)
        .refuse(path, text.error().text, is_denied ? why_unreadable(path, path, EACCES) : "");
  }
  return parse(std::move(*text), path, system, foreign);
}

}  // namespace tunnel::config
