#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ballast::formats {

/// A list in the metadata of a GGUF file; all elements are of one type. The place of an alternative
/// is the number that files name its type by, here and in GgufValue; lists of lists do not occur.
using GgufArray =
    std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>, std::monostate,
                 std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

using GgufValue = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
                               std::uint32_t, std::int32_t, float, bool, std::string, GgufArray,
                               std::uint64_t, std::int64_t, double>;

/// A key of the metadata and what stands there.
struct GgufEntry {
  std::string key;
  GgufValue value;
};

/// In the order of the file.
using GgufMetadata = std::vector<GgufEntry>;

/// What messages call the type of a value: "u32", "a list of strings".
[[nodiscard]] std::string_view gguf_type_name(const GgufValue& value);

/// The bytes of a number as the file has them: the lowest first.
template <class Number>
void append_number(std::string& bytes, Number number);
/// A length of 8 bytes, and the bytes of the text.
void append_text(std::string& bytes, std::string_view text);
/// The number of the value's type, then the value.
void append_value(std::string& bytes, const GgufValue& value);

}  // namespace ballast::formats
