#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/h5/fields.hpp"

namespace ballast::storage::h5 {

/// Numbers that a dataset may hold: unsigned, signed and IEEE floating-point, lowest byte first.
enum class ElementType { u8, u16, u32, u64, i8, i16, i32, i64, f32, f64 };

/// Bytes of an element.
[[nodiscard]] std::size_t size_of(ElementType type);
[[nodiscard]] bool is_real(ElementType type);
/// "uint16 little-endian": words that datasets store, so they stay as they are.
[[nodiscard]] std::string describe(ElementType type);

/// What a datatype message says: HDF5 File Format Specification Version 3.0 (The HDF Group),
/// section IV.A.2.d, version 1.
struct Datatype {
  enum class Kind {
    number,         ///< `element`
    text,           ///< of `bytes` bytes, padded with NULs
    variable_text,  ///< lies elsewhere in the file
    other,
  };
  Kind kind = Kind::other;
  ElementType element = ElementType::u8;
  std::size_t bytes = 0;
};

/// `message` may be longer than what it says: it is padded.
[[nodiscard]] Datatype parse_datatype(Bytes message);

}  // namespace ballast::storage::h5
