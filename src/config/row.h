// SPDX-License-Identifier: MIT
// A row of the option table, made from a member of the model and the codec of its type. Included by
// the schema_*.cc files only.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "config/codec.h"
#include "config/codec_table.h"
#include "config/schema.h"
#include "config/unknown_keys.h"

namespace tunnel::config {

template <class T, class M>
T owner_of(M T::*);
template <auto Member>
using OwnerOf = decltype(owner_of(Member));
template <class T>
struct Unwrapped {
  using type = T;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using type = T;
};
template <auto Member>
using MemberOf = typename Unwrapped<
    std::remove_cvref_t<decltype(std::declval<OwnerOf<Member>>().*Member)>>::type;

template <Type type, auto Member>
void read_member(Reader& reader, const Option& option, const Setting& setting,
                 OwnerOf<Member>& object) {
  if constexpr (type == Type::table || type == Type::table_or_false) {
    Codec<type>::read(reader, option, setting, object.*Member);
  } else {
    Codec<type>::read(reader, option, setting.value(), object.*Member);
  }
}

template <Type type, auto Member>
Printed print_member(const OwnerOf<Member>& object) {
  if constexpr (type == Type::table || type == Type::table_or_false) {
    return Codec<type>::print(object.*Member);
  } else {
    return Printed(Codec<type>::print(object.*Member));
  }
}

template <auto Member>
bool is_same_member(const OwnerOf<Member>& one, const OwnerOf<Member>& other) {
  return one.*Member == other.*Member;
}

// A row that reads and prints one member.
template <Type type, auto Member>
constexpr Row<OwnerOf<Member>> row(Option option) {
  option.type = type;
  if constexpr (type == Type::choice) option.words = Words<MemberOf<Member>>::kWords;
  Row<OwnerOf<Member>> result{option, &read_member<type, Member>, &print_member<type, Member>};
  if constexpr (type == Type::table || type == Type::table_or_false) {
    result.check_keys = &check_keys<MemberOf<Member>>;
  }
  result.is_same = &is_same_member<Member>;
  return result;
}

}  // namespace tunnel::config
