#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/h5/object_header.hpp"

namespace ballast::storage::h5 {

/// An attribute message: HDF5 File Format Specification Version 3.0 (The HDF Group), section
/// IV.A.2.m, versions 1 to 3. Its parts lie in the header that it was found in.
struct Attribute {
  std::string_view name;
  Bytes datatype;
  Bytes dataspace;
  Bytes value;
};

/// The attribute of that name; nothing where there is none. A data Error if attributes of the
/// object are damaged, or kept in another way than ballast writes them.
[[nodiscard]] std::optional<Attribute> find_attribute(const ObjectHeader& header,
                                                      std::string_view name);

/// The value of one text of a fixed length, up to its first NUL, or of one integer that is not
/// negative. A data Error, without the attribute's name, where it is anything else.
[[nodiscard]] std::string text_of(const Attribute& attribute);
[[nodiscard]] std::uint64_t number_of(const Attribute& attribute);

}  // namespace ballast::storage::h5
