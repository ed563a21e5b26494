#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "storage/h5/fields.hpp"

namespace ballast::storage::h5 {

/// Messages of an object's header: HDF5 File Format Specification Version 3.0 (The HDF Group),
/// section IV.A.2. Errors are data Errors that do not name the object.

/// Section IV.A.2.b, versions 1 and 2.
struct Dataspace {
  std::size_t dimensions = 0;
  std::uint64_t elements = 0;  ///< 1 without dimensions
};
[[nodiscard]] Dataspace parse_dataspace(Bytes message);

/// Elements that lie in the header itself.
struct CompactLayout {
  Bytes elements;  ///< a part of the message
};
struct ContiguousLayout {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};
struct ChunkedLayout {
  std::uint64_t index = 0;  ///< address of the B-tree of chunks
  std::uint32_t elements = 0;
  std::uint32_t element_bytes = 0;
};
using Layout = std::variant<CompactLayout, ContiguousLayout, ChunkedLayout>;
/// Section IV.A.2.i, version 3, of a dataset of one dimension.
[[nodiscard]] Layout parse_layout(Bytes message);

/// Section IV.A.2.l, version 1.
struct Filter {
  static constexpr std::uint16_t kDeflate = 1;
  static constexpr std::uint16_t kShuffle = 2;

  std::uint16_t number = 0;  ///< in HDF5's registry
  std::vector<std::uint32_t> parameters;
};
/// In the order in which they were applied.
[[nodiscard]] std::vector<Filter> parse_filters(Bytes message);

}  // namespace ballast::storage::h5
