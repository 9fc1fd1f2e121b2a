// SPDX-License-Identifier: MIT
// libFuzzer target for what says that certificates are revoked. The first byte chooses: a file of
// CRLs, PEM or DER, or a stapled OCSP response; both about one certificate, whose CA has signed
// some of the corpus.
//
// Found wrong: a crash, anything the sanitizers say, text that is not printable, a certificate that
// is good although the CA's signature cannot have been there.
#include <gnutls/x509.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "promise.h"
#include "x509/crl.h"
#include "x509/handles.h"
#include "x509/ocsp.h"
#include "x509/problem.h"

namespace {

using namespace tunnel::x509;
using tunnel::require;
using tunnel::require_printable;

// Nobody has their keys any more.
constexpr std::string_view kAuthority = R"(-----BEGIN CERTIFICATE-----
MIIBKjCB0qADAgECAgEBMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMMAkNBMB4XDTIw
MDEwMTAwMDAwMFoXDTQwMDEwMTAwMDAwMFowDTELMAkGA1UEAwwCQ0EwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAARbGWJ4hv7F/aM6LOEv8TQe2XGDU3xs5+nEhURp
Qybi8HCR1CYkA2HSCryctx3ACZbM5y5k7YRhjlL0vuzn9jb5oyMwITAPBgNVHRMB
Af8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNHADBEAiAg+DaL
t97QROLjgap49ozTEXQTrsxSuSI8tDCrx0aE4QIgZs0m3kl9LRS2rAiVKOG1wRNw
npQZsfkmjk5wyxTkANI=
-----END CERTIFICATE-----)";
constexpr std::string_view kServer = R"(-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgICEjQwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCQ0EwHhcN
MjAwMTAxMDAwMDAwWhcNNDAwMTAxMDAwMDAwWjAaMRgwFgYDVQQDDA9kYzEuZXhh
bXBsZS5jb20wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATyLFytmJ9sia4KtqQm
1EpfueC2h1WgLz6JqLZqfiTs0B487O/yFTSy0ZOtNJOm8uGQKpogjxMnH9rdZ9/Q
0f12o3IwcDBZBgNVHREEUjBQgg9kYzEuZXhhbXBsZS5jb22CDSouZXhhbXBsZS5j
b22HBAoAAAGHEAAAAAAAAAAAAAAAAAAAAAGBDWFAZXhhbXBsZS5jb22GB3VyaTph
OmIwEwYDVR0lBAwwCgYIKwYBBQUHAwEwCgYIKoZIzj0EAwIDSAAwRQIgf2c+qGQZ
Rui3Zg+Iz4nREcwJb7zyKJyl4tBC7DtnJkkCIQDCzu0nE4pGQ6zcrsjSDF4239BA
mUnOispKEC7TYM8NSQ==
-----END CERTIFICATE-----)";
constexpr std::time_t kNow = 1'735'732'800;   // 2025-01-01 12:00 UTC
constexpr std::size_t kSmallestSigned = 100;  // a signature alone has 70 bytes

Certificate read(std::string_view pem) {
  gnutls_x509_crt_t raw = nullptr;
  require(gnutls_x509_crt_init(&raw) == 0, "there is memory");
  Certificate certificate(raw);
  const auto data = lend(pem);
  require(gnutls_x509_crt_import(raw, &data, GNUTLS_X509_FMT_PEM) == 0, "a certificate is read");
  return certificate;
}

const Certificate& authority() {
  static const Certificate certificate = read(kAuthority);
  return certificate;
}

const Certificate& server() {
  static const Certificate certificate = read(kServer);
  return certificate;
}

// A file without a place in any folder.
struct File {
  explicit File(std::string_view content) : fd(::memfd_create("crl", MFD_CLOEXEC)) {
    require(fd >= 0 &&
                ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "a file is written");
  }
  ~File() { ::close(fd); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd); }
  int fd;
};

void look_up(std::string_view content) {
  using State = RevocationLists::State;
  const File file(content);
  Problems problems;
  const auto lists = RevocationLists::load({file.path()}, problems);
  require(problems.has_errors() || !lists.empty(), "a file holds lists, or that is an error");
  for (const auto& problem : problems.errors()) require_printable(problem.text + problem.hint);
  for (const auto& problem : problems.warnings()) require_printable(problem.text);
  (void)lists.next_update();
  const auto finding = lists.look_up(server().get(), authority().get(), kNow, 0);
  require_printable(finding.text);
  require(finding.state != State::good || content.size() > kSmallestSigned, "a list is signed");
  const auto revoked = lists.find_revoked(server().get(), authority().get(), kNow, 0);
  require(!revoked || finding.state == State::revoked, "what is revoked is revoked either way");
}

void check(std::string_view response) {
  using State = OcspFinding::State;
  const auto finding = check_ocsp(lend(response), server().get(), authority().get(), kNow, 0);
  require((finding.state == State::absent || finding.state == State::invalid) !=
              std::string_view(finding.why).empty(),
          "what does not count has its reason");
  require(finding.state != State::good || response.size() > kSmallestSigned, "an answer is signed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // A copy of the exact size, so that reading past it shows.
  const std::vector<char> exact(data + 1, data + size);
  const std::string_view rest(exact.data(), exact.size());
  if (data[0] % 2 == 0) {
    look_up(rest);
  } else {
    check(rest);
  }
  return 0;
}
