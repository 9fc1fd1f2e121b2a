// SPDX-License-Identifier: MIT
#include "keys/token.h"

#include <gnutls/pkcs11.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/wipe.h"

namespace tunnel::keys {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr const char* kPutPinIntoFile =
    "put the PIN into a file that only the tunnel can read, and name that in "
    "tls.key_password_file, or as ?pin-source=file:/... in the URI";

// The attributes of a path or a query.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

std::string_view path_of(std::string_view uri) {
  uri.remove_prefix(std::min(kScheme.size(), uri.size()));
  return uri.substr(0, uri.find('?'));
}

std::string_view query_of(std::string_view uri) {
  const auto mark = uri.find('?');
  return mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1);
}

using IsUnwanted = bool (*)(std::string_view attribute);

std::string join_wanted(std::string_view attributes, char separator, IsUnwanted is_unwanted) {
  std::string kept;
  for (const auto attribute : split(attributes, separator)) {
    if (is_unwanted(attribute)) continue;
    if (!kept.empty()) kept += separator;
    kept += attribute;
  }
  return kept;
}

std::string without(std::string_view uri, IsUnwanted is_unwanted) {
  const auto query = join_wanted(query_of(uri), '&', is_unwanted);
  return std::string(kScheme) + join_wanted(path_of(uri), ';', is_unwanted) +
         (query.empty() ? "" : "?" + query);
}

// For GnuTLS, which would take the PIN's file with its last newline: we read it ourselves.
std::string without_pin_source(std::string_view uri) {
  return without(uri,
                 [](std::string_view attribute) { return attribute.starts_with("pin-source="); });
}

// The attribute's value with %XX decoded; empty when it is not there. Before RFC 7512 those of the
// query stood in the path.
std::string value_of(std::string_view uri, std::string_view name) {
  auto attributes = split(query_of(uri), '&');
  for (const auto attribute : split(path_of(uri), ';')) attributes.push_back(attribute);
  for (const auto attribute : attributes) {
    if (!attribute.starts_with(name) || attribute.substr(name.size(), 1) != "=") continue;
    return percent_decoded(attribute.substr(name.size() + 1));
  }
  return {};
}

void* lend_pin(const KeyPassword& password) { return const_cast<KeyPassword*>(&password); }

// What the URI says of the token, and of the module to find it with: without the object in it, and
// without a PIN.
std::string token_of(std::string_view uri) {
  return without(uri.substr(0, uri.find('?')),
                 [](std::string_view attribute) {
                   constexpr std::string_view kOfObjects[] = {
                       "object=", "id=", "type=", "object-type=", "pin-"};
                   return std::ranges::any_of(kOfObjects, [attribute](std::string_view start) {
                     return attribute.starts_with(start);
                   });
                 }) +
         "?" + value_of(uri, "module-path");
}

// The PIN that GnuTLS uses: one in the URI comes before any file's. Wiped at the end.
class Pin {
 public:
  Pin(std::string_view uri, const KeyPassword& password) : text_(value_of(uri, "pin-value")) {
    if (text_.empty() && password.is_set()) text_ = password.text();
  }
  ~Pin() { wipe(text_); }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// `text` and `hint` say what has been done about it.
x509::Problem wrong_pin(const std::string& option, const std::string& uri,
                        const KeyPassword& password, const std::string& text, std::string hint) {
  const bool is_in_uri = holds_pin(uri);
  return {is_in_uri ? option : password.option(), -1,
          "the PIN " + (is_in_uri ? "that the URI names" : "in " + password.path()) +
              " does not open the token of " + uri_for_people(uri) + text,
          std::move(hint)};
}

// False, with a problem, when this PIN must not be tried on this token again. A wrong PIN out of a
// file reaches a token once: in one login give_pin sees to it; within a service the key is loaded
// before the certificates, which are not asked for when that has failed; from one service to the
// next the wrong ones are remembered.
bool may_try(const std::string& option, const std::string& uri, const KeyPassword& password,
             const WrongPins& wrong_pins, x509::Problems& problems) {
  if (!wrong_pins.contains(token_of(uri), Pin(uri, password).text())) return true;
  problems.error(wrong_pin(option, uri, password, ": it was wrong before, and is not tried again",
                           "tokens lock themselves after a few wrong PINs"));
  return false;
}

void note_wrong_pin(const std::string& uri, const KeyPassword& password, int error,
                    WrongPins& wrong_pins) {
  const Pin pin(uri, password);
  // Without a PIN the error is the same, but then none has been tried.
  if (error == GNUTLS_E_PKCS11_PIN_ERROR && !pin.text().empty()) {
    wrong_pins.add(token_of(uri), pin.text());
  }
}

// Tells why, by the library's number.
void add_problem(const std::string& option, const std::string& uri, int error,
                 const KeyPassword& password, const std::string& what, x509::Problems& problems) {
  const std::string name = uri_for_people(uri);
  switch (error) {
    case GNUTLS_E_PKCS11_PIN_ERROR:
      if (holds_pin(uri)) {
        return problems.error(wrong_pin(option, uri, password, "", kPutPinIntoFile));
      }
      if (password.is_set()) {
        return problems.error(
            wrong_pin(option, uri, password, "",
                      "it was tried once: tokens lock themselves after a few wrong PINs"));
      }
      if (!password.path().empty()) return;  // it could not be read: a problem already
      return problems.error(option, "the token of " + name + " wants a PIN, and there is none",
                            kPutPinIntoFile);
    case GNUTLS_E_PKCS11_PIN_LOCKED:
      return problems.error(option, "the PIN of the token of " + name + " is locked",
                            "the token's security officer can unlock it");
    case GNUTLS_E_PKCS11_PIN_EXPIRED:
      return problems.error(option, "the PIN of the token of " + name + " has expired");
    case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
    case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
      return problems.error(
          option, "no PKCS#11 token has " + what + " " + name,
          "`p11tool --list-tokens` shows the tokens of the modules that p11-kit knows, and "
          "`p11tool --login --list-all TOKEN` what is in them; ?module-path=/... in the URI adds "
          "a module");
    case GNUTLS_E_PARSING_ERROR:
    case GNUTLS_E_INVALID_REQUEST:
      return problems.error(option, "\"" + name + "\" is not a PKCS#11 URI (RFC 7512)",
                            "write it like \"pkcs11:token=NAME;object=LABEL\"");
    default:
      return problems.error(option,
                            what + " " + name + " cannot be used: " + gnutls_strerror(error));
  }
}

// False, with a problem, when the module that the URI names cannot be loaded.
bool add_module(const std::string& option, const std::string& uri, x509::Problems& problems) {
  const auto path = value_of(uri, "module-path");
  // Without a path the modules are those that p11-kit knows from its own configuration.
  if (path.empty()) return true;
  if (gnutls_pkcs11_add_provider(path.c_str(), nullptr) >= 0) return true;
  problems.error(option, "the PKCS#11 module " + printable(path) + " cannot be loaded",
                 "module-path is the shared library that comes with the token");
  return false;
}

}  // namespace

bool is_token_uri(std::string_view text) { return text.starts_with(kScheme); }

std::string uri_for_people(std::string_view uri) {
  return printable(without(uri.substr(0, uri.find('?')), [](std::string_view attribute) {
    return attribute.starts_with("pin-");
  }));
}

std::string pin_source_of(std::string_view uri) {
  // A file's URI has several forms (RFC 8089), and a bare path is usual, too. A command
  // ("|program", RFC 7512 section 2.4) is never run: what is not a path in the end is refused by
  // the caller.
  auto source = value_of(uri, "pin-source");
  if (source.starts_with("file:")) source.erase(0, 5);
  if (source.starts_with("//localhost/")) source.erase(0, 11);
  while (source.starts_with("//")) source.erase(0, 1);
  return source;
}

bool holds_pin(std::string_view uri) { return !value_of(uri, "pin-value").empty(); }

std::string key_uri_of(std::string_view certificate_uri) {
  return without(certificate_uri, [](std::string_view attribute) {
    return attribute.starts_with("type=") || attribute.starts_with("object-type=");
  });
}

PrivateKey token_key(const std::string& option, const std::string& uri, const KeyPassword& password,
                     WrongPins& wrong_pins, x509::Problems& problems) {
  if (!may_try(option, uri, password, wrong_pins, problems)) return nullptr;
  if (!add_module(option, uri, problems)) return nullptr;
  gnutls_privkey_t raw = nullptr;
  if (gnutls_privkey_init(&raw) < 0) return nullptr;
  PrivateKey key(raw);
  // Before the import, which logs in. It stays with the key, which asks again when its token was
  // taken out and put back.
  gnutls_privkey_set_pin_function(raw, &KeyPassword::give_pin, lend_pin(password));
  const int error = gnutls_privkey_import_url(raw, without_pin_source(uri).c_str(), 0);
  if (error >= 0) return key;
  note_wrong_pin(uri, password, error, wrong_pins);
  add_problem(option, uri, error, password, "the private key", problems);
  return nullptr;
}

std::vector<x509::Certificate> token_certificates(const std::string& option, const std::string& uri,
                                                  const KeyPassword& password,
                                                  WrongPins& wrong_pins, x509::Problems& problems) {
  std::vector<x509::Certificate> certificates;
  if (!may_try(option, uri, password, wrong_pins, problems)) return certificates;
  if (!add_module(option, uri, problems)) return certificates;
  gnutls_x509_crt_t* list = nullptr;
  unsigned size = 0;
  const int error = gnutls_x509_crt_list_import_url(&list, &size, without_pin_source(uri).c_str(),
                                                    &KeyPassword::give_pin, lend_pin(password), 0);
  if (error < 0) {
    note_wrong_pin(uri, password, error, wrong_pins);
    add_problem(option, uri, error, password, "the certificate", problems);
    return certificates;
  }
  for (unsigned i = 0; i < size; ++i) certificates.emplace_back(list[i]);
  gnutls_free(list);
  return certificates;
}

}  // namespace tunnel::keys
