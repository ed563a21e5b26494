#include "formats/gguf/gguf_value.hpp"

#include <array>
#include <bit>
#include <type_traits>

#include "base/error.hpp"

namespace ballast::formats {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

namespace {

template <class Element>
void append_element(std::string& bytes, const Element& element) {
  if constexpr (std::is_same_v<Element, std::string>) {
    append_text(bytes, element);
  } else if constexpr (std::is_same_v<Element, bool>) {
    bytes += element ? '\1' : '\0';
  } else {
    append_number(bytes, element);
  }
}

void append_array(std::string& bytes, const GgufArray& array) {
  append_number(bytes, static_cast<std::uint32_t>(array.index()));
  std::visit(
      [&](const auto& elements) {
        using List = std::remove_cvref_t<decltype(elements)>;
        if constexpr (std::is_same_v<List, std::monostate>) {
          throw internal_error("a list of a GGUF file has no type");
        } else {
          append_number(bytes, std::uint64_t{elements.size()});
          for (const typename List::value_type& element : elements) append_element(bytes, element);
        }
      },
      array);
}

}  // namespace

std::string_view gguf_type_name(const GgufValue& value) {
  static constexpr std::array<std::string_view, std::variant_size_v<GgufValue>> kNames{
      "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "list", "u64", "i64", "f64"};
  static constexpr std::array<std::string_view, std::variant_size_v<GgufArray>> kLists{
      "a list of u8",  "a list of i8",  "a list of u16",   "a list of i16",     "a list of u32",
      "a list of i32", "a list of f32", "a list of bools", "a list of strings", "no list",
      "a list of u64", "a list of i64", "a list of f64"};
  const auto* const array = std::get_if<GgufArray>(&value);
  return array == nullptr ? kNames.at(value.index()) : kLists.at(array->index());
}

template <class Number>
void append_number(std::string& bytes, Number number) {
  const auto as_bytes = std::bit_cast<std::array<char, sizeof(Number)>>(number);
  bytes.append(as_bytes.data(), as_bytes.size());
}

template void append_number(std::string&, std::uint8_t);
template void append_number(std::string&, std::int8_t);
template void append_number(std::string&, std::uint16_t);
template void append_number(std::string&, std::int16_t);
template void append_number(std::string&, std::uint32_t);
template void append_number(std::string&, std::int32_t);
template void append_number(std::string&, std::uint64_t);
template void append_number(std::string&, std::int64_t);
template void append_number(std::string&, float);
template void append_number(std::string&, double);

void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, std::uint64_t{text.size()});
  bytes.append(text);
}

void append_value(std::string& bytes, const GgufValue& value) {
  append_number(bytes, static_cast<std::uint32_t>(value.index()));
  std::visit(
      [&](const auto& one) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(one)>, GgufArray>) {
          append_array(bytes, one);
        } else {
          append_element(bytes, one);
        }
      },
      value);
}

}  // namespace ballast::formats
