// SPDX-License-Identifier: MIT
#include "tls/products.h"

#include <algorithm>
#include <utility>

namespace tunnel::tls {
namespace {

template <class T>
bool has(const std::vector<T>& list, const T& entry) {
  return std::ranges::find(list, entry) != list.end();
}

template <class T>
void add_once(std::vector<T>& list, const T& entry) {
  if (!has(list, entry)) list.push_back(entry);
}

bool is_in(const std::vector<Suite>& list, const Suite& suite) {
  return std::ranges::find(list, suite.name, &Suite::name) != list.end();
}

// Whether nothing goes out that is not in the list.
bool is_exact(const Product& product, const std::vector<Suite>& list,
              const std::vector<Suite>& known) {
  return std::ranges::all_of(
      known, [&](const Suite& suite) { return !product.offers(suite) || is_in(list, suite); });
}

}  // namespace

void Product::add(const Suite& suite) {
  if (!suite.is_tls13()) add_exchange(suite.kx);
  add_once(ciphers_, suite.cipher);
  add_once(macs_, suite.mac);
}

void Product::add_exchange(gnutls_kx_algorithm_t exchange) { add_once(exchanges_, exchange); }

bool Product::has_exchange(gnutls_kx_algorithm_t exchange) const {
  return has(exchanges_, exchange);
}

bool Product::offers(const Suite& suite) const {
  if (!has(ciphers_, suite.cipher) || !has(macs_, suite.mac)) return false;
  if (suite.is_tls13()) return versions_.has_tls13;
  return versions_.newest_older && suite.min_version <= *versions_.newest_older &&
         has(exchanges_, suite.kx);
}

// Greedy: a part takes one suite after another as long as their product stays within the list. The
// second time over the list it also takes suites that an earlier part has had, so that a server
// finds in each part as much as can be offered there.
std::vector<std::vector<Suite>> exact_parts(const std::vector<Suite>& list,
                                            const std::vector<Suite>& known, VersionRange versions,
                                            std::size_t most) {
  std::vector<std::vector<Suite>> parts;
  std::vector<Suite> left = list;
  while (!left.empty() && parts.size() < most) {
    Product product(versions);
    std::vector<Suite> part;
    const auto add_what_fits = [&](const std::vector<Suite>& suites) {
      for (const Suite& suite : suites) {
        if (is_in(part, suite)) continue;
        Product wider = product;
        wider.add(suite);
        // The first one goes in unasked: alone it is its own product, and each part must take
        // something.
        if (!part.empty() && !is_exact(wider, list, known)) continue;
        product = std::move(wider);
        part.push_back(suite);
      }
    };
    // First what no part before it has.
    add_what_fits(left);
    add_what_fits(list);
    std::erase_if(left, [&part](const Suite& suite) { return is_in(part, suite); });
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace tunnel::tls
