#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::data {

/// How the pieces of byte-level BPE are written as text (GPT-2's byte map): bytes 33 to 126, 161 to
/// 172 and 174 to 255 as the code point of their number, the other 68, by rising number, as U+0100
/// and on. A space is U+0120, a line feed U+010A.
[[nodiscard]] std::string to_byte_map(std::string_view bytes);

/// The bytes that a piece stands for; nothing if it has a character that stands for none. `piece`
/// is well-formed UTF-8.
[[nodiscard]] std::optional<std::string> from_byte_map(std::string_view piece);

}  // namespace ballast::data
