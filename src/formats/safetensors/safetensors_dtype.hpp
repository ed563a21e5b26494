#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/element.hpp"

namespace ballast::formats {

/// A type of elements that a safetensors header may name.
struct SafetensorsDtype {
  std::string_view name;               ///< "BF16"
  std::uint32_t bits = 0;              ///< of an element; 4 and 6 occur
  std::optional<ElementType> element;  ///< what Ballast reads it as; nothing: it is not read
  std::string_view instead = {};       ///< what its user can do, where it is not read
};

/// The type of this name, which lives as long as the program, or null if the format has none.
[[nodiscard]] const SafetensorsDtype* find_dtype(std::string_view name);

/// The type that files of `type` name.
[[nodiscard]] const SafetensorsDtype& dtype_of(ElementType type);

}  // namespace ballast::formats
