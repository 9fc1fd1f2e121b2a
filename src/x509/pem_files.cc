// SPDX-License-Identifier: MIT
#include "x509/pem_files.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/result.h"
#include "base/wipe.h"
#include "x509/file_text.h"
#include "x509/handles.h"
#include "x509/trusted_certificate.h"

namespace tunnel::x509 {
namespace {

struct CloseFolder {
  void operator()(DIR* dir) const { (void)::closedir(dir); }
};

std::string noun(PemType type) { return type == PemType::crl ? "CRL" : "certificate"; }

// A path may hold any byte but NUL, so that no two lists of files have the same identity.
std::string identity_of(const std::string& path, const struct stat& info) {
  return path + '\0' + std::to_string(info.st_dev) + ':' + std::to_string(info.st_ino) + ':' +
         std::to_string(info.st_size) + ':' + std::to_string(info.st_mtim.tv_sec) + '.' +
         std::to_string(info.st_mtim.tv_nsec) + '\n';
}

// Walks the paths, remembering which files were seen.
class Finder {
 public:
  explicit Finder(std::string_view key) { found_.key = key; }

  void look_at(const std::string& path, int index) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return problem_errno(path, index);
    if (S_ISDIR(info.st_mode)) return look_into(path, index);
    if (S_ISREG(info.st_mode)) return add({path, 0, index, true}, info);
    found_.problems.error(found_.key, index, path + ": is neither a file nor a folder");
  }
  PemFiles take() { return std::move(found_); }

 private:
  void look_into(const std::string& path, int index) {
    std::unique_ptr<DIR, CloseFolder> dir(::opendir(path.c_str()));
    if (!dir) return problem_errno(path, index);
    std::vector<std::string> names;
    while (const auto* entry = ::readdir(dir.get())) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());  // the same order at every start
    bool any_known = false;
    for (const auto& name : names) {
      const auto file = path + (path.ends_with('/') ? "" : "/") + name;
      struct stat info {};
      if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;  // dangling link
      any_known |= seen_.contains({info.st_dev, info.st_ino});
      add({file, 0, index, false}, info);
    }
    // One that only repeats what an earlier entry named is not empty.
    if (!any_known) found_.folders.emplace_back(path, index);
  }
  void add(PemFiles::File file, const struct stat& info) {
    if (!seen_.emplace(info.st_dev, info.st_ino).second) return;
    file.size = static_cast<std::size_t>(info.st_size);
    found_.identity += identity_of(file.path, info);
    found_.files.push_back(std::move(file));
  }
  void problem_errno(const std::string& path, int index) {
    auto error = failed(ErrorCode::system, path + ": cannot be read", errno).value();
    found_.problems.error(found_.key, index, std::move(error.text));
  }

  PemFiles found_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

// Turns files into objects, remembering which objects were seen.
class Reader {
 public:
  Reader(const PemFiles& files, PemType type) : key_(files.key), type_(type) {
    contents_.problems = files.problems;
  }

  void read(const PemFiles::File& file);
  void check_folder(const std::string& path, int index);
  PemContents take() { return std::move(contents_); }

 private:
  // May take the content.
  void read_content(const PemFiles::File& file, std::string& content);
  // The number of blocks of our type in PEM text, or -1 when one of them is broken.
  int read_pem(const std::string& path, std::string_view text, int index);
  [[nodiscard]] bool is_der(std::string_view content) const;
  // False when it cannot be read.
  bool add_trusted(std::string_view content, const std::string& origin, int index);
  void add(std::string der, std::string origin, int index);
  void problem(int index, std::string text, std::string hint = {});

  std::string key_;
  PemType type_;
  PemContents contents_;
  std::unordered_set<std::string> seen_;
  std::set<int> fruitful_;  // entries that gave something, new or not
};

// A file of certificates may hold their key, too: what was read is wiped.
void Reader::read(const PemFiles::File& file) {
  auto content = read_file(file.path, file.size);
  if (!content) return problem(file.index, file.path + ": " + content.error().text);
  read_content(file, *content);
  wipe(*content);
}

// What a file is, is seen in it: .crt and .cer are used for both forms.
void Reader::read_content(const PemFiles::File& file, std::string& content) {
  if (content.find("-----BEGIN ") != std::string::npos) {
    if (read_pem(file.path, content, file.index) != 0 || !file.named) return;
    const bool has_key = content.find("PRIVATE KEY-----") != std::string::npos;
    return problem(file.index, file.path + ": holds no " + noun(type_),
                   has_key ? "this is a private key; tls." + key_ + " wants " + noun(type_) + "s"
                           : "the PEM blocks in it are of another kind");
  }
  if (is_der(content)) return add(std::move(content), file.path, file.index);
  if (file.named) {
    problem(file.index, file.path + ": holds no " + noun(type_),
            content.empty() ? "the file is empty" : "it is neither PEM nor DER");
  }
}

void Reader::check_folder(const std::string& path, int index) {
  const auto is_ours = [index](const Problem& known) { return known.index == index; };
  if (fruitful_.contains(index) || std::ranges::any_of(contents_.problems.errors(), is_ours)) {
    return;
  }
  problem(index, path + ": the folder holds no " + noun(type_),
          "put PEM or DER files into it; folders in it are not searched");
}

int Reader::read_pem(const std::string& path, std::string_view text, int index) {
  static constexpr std::string_view kBegin = "-----BEGIN ";
  static constexpr std::string_view kTrusted = "TRUSTED CERTIFICATE";
  int found = 0;
  int line = 1;
  std::size_t counted = 0;  // newlines are counted up to here
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at + 1)) {
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                        text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    const auto label_end = text.find("-----", at + kBegin.size());
    if (label_end == std::string_view::npos) break;
    const std::string label(text.substr(at + kBegin.size(), label_end - at - kBegin.size()));
    const bool ours = type_ == PemType::crl ? label == "X509 CRL"
                                            : label == "CERTIFICATE" ||
                                                  label == "X509 CERTIFICATE" || label == kTrusted;
    if (!ours) continue;
    const std::string end_mark = "-----END " + label + "-----";
    const auto end = text.find(end_mark, label_end);
    const auto origin = path + ", line " + std::to_string(line);
    // Also in a file that was only found in a folder: what begins like one is meant to be one.
    if (end == std::string_view::npos) {
      problem(index, origin + ": the " + noun(type_) + " that begins here has no END line",
              "the file was cut off");
      return -1;
    }
    const auto block = lend(text.substr(at, end + end_mark.size() - at));
    Datum der;
    if (const int error = gnutls_pem_base64_decode2(label.c_str(), &block, der.get()); error < 0) {
      problem(index, origin + ": the " + noun(type_) +
                         " that begins here cannot be read: " + gnutls_strerror(error));
      return -1;
    }
    ++found;
    if (label != kTrusted) {
      add(std::string(der.view()), origin, index);
    } else if (!add_trusted(der.view(), origin, index)) {
      problem(index, origin + ": the " + label + " that begins here cannot be read");
      return -1;
    }
  }
  return found;
}

bool Reader::is_der(std::string_view content) const {
  if (content.size() < 2 || content[0] != '\x30') return false;
  const auto der = lend(content);
  if (type_ == PemType::crl) {
    gnutls_x509_crl_t raw = nullptr;
    if (gnutls_x509_crl_init(&raw) < 0) return false;
    const CrlHandle crl(raw);
    return gnutls_x509_crl_import(raw, &der, GNUTLS_X509_FMT_DER) == 0;
  }
  gnutls_x509_crt_t raw = nullptr;
  if (gnutls_x509_crt_init(&raw) < 0) return false;
  const Certificate crt(raw);
  return gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) == 0;
}

// What it is trusted for matters where trust begins, and nowhere else.
bool Reader::add_trusted(std::string_view content, const std::string& origin, int index) {
  const auto trusted = split_trusted(content);
  if (!trusted) return false;
  if (key_ == "ca" && !trusted->is_for_servers) {
    problem(index, origin + ": this TRUSTED CERTIFICATE is not trusted for servers",
            "openssl x509 -clrtrust -clrreject takes such settings out of it");
    return true;
  }
  add(std::string(trusted->der), origin, index);
  return true;
}

void Reader::add(std::string der, std::string origin, int index) {
  fruitful_.insert(index);
  if (!seen_.insert(der).second) return;
  contents_.objects.push_back({std::move(der), std::move(origin), index});
}

void Reader::problem(int index, std::string text, std::string hint) {
  contents_.problems.error(key_, index, std::move(text), std::move(hint));
}

}  // namespace

PemFiles find_pem_files(std::string_view key, const std::vector<std::string>& paths) {
  Finder finder(key);
  int index = 0;
  for (const auto& path : paths) finder.look_at(path, index++);
  return finder.take();
}

PemContents read_pem_files(const PemFiles& files, PemType type) {
  Reader reader(files, type);
  for (const auto& file : files.files) reader.read(file);
  for (const auto& [path, index] : files.folders) reader.check_folder(path, index);
  return reader.take();
}

}  // namespace tunnel::x509
