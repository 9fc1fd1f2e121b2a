// SPDX-License-Identifier: MIT
#include "config/codec_table.h"

namespace tunnel::config {

Setting Codec<Type::table_or_false>::table_of(Reader& reader, const Option& option,
                                              const Setting& setting) {
  if (setting.is_table()) return setting;
  const auto boolean = read_boolean(setting.value());
  if (!boolean) {
    reader.wrong_type(option, setting.value());
    return {};
  }
  // `tls = true` in a service keeps what [defaults.tls] says.
  if (*boolean && setting.below().is_table()) return setting.below();
  return setting;
}

}  // namespace tunnel::config
