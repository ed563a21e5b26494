#pragma once

#include <string_view>

#include "base/error.hpp"
#include "data/unicode/utf8.hpp"

namespace ballast::data {

/// Throws a data Error with the byte offset where `text` is not UTF-8.
inline void require_utf8(std::string_view text) {
  const Utf8Check check = check_utf8(text);
  if (check.valid == text.size()) return;
  throw data_error("the text is not UTF-8 at byte {} (0x{:02x})", check.valid,
                   static_cast<unsigned char>(text[check.valid]));
}

}  // namespace ballast::data
