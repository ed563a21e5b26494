#include "storage/h5/messages.hpp"

#include <limits>

namespace ballast::storage::h5 {

namespace {

constexpr std::size_t kMostDimensions = 32;
/// Filters are a list that a file may make long.
constexpr std::size_t kMostFilters = 2;

enum class LayoutClass : std::uint8_t { compact = 0, contiguous = 1, chunked = 2 };

/// Of a message whose version was read before.
std::uint64_t product_of_dimensions(Fields& fields, std::size_t count) {
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t length = fields.u64();
    if (length != 0 && product > std::numeric_limits<std::uint64_t>::max() / length) {
      throw damaged("its dimensions have no product");
    }
    product *= length;
  }
  return product;
}

ChunkedLayout parse_chunked(Fields& fields) {
  const std::uint8_t sizes = fields.u8();  // one more than there are dimensions
  if (sizes != 2) throw other_layout("its chunks are not one-dimensional");
  ChunkedLayout layout;
  layout.index = fields.u64();
  layout.elements = fields.u32();
  layout.element_bytes = fields.u32();
  if (layout.elements == 0 || layout.element_bytes == 0) throw damaged("its chunks have no size");
  return layout;
}

Filter parse_filter(Fields& fields) {
  Filter filter;
  filter.number = fields.u16();
  const std::uint16_t name_bytes = fields.u16();
  fields.skip(2);  // whether a chunk may do without: its mask says so
  const std::uint16_t parameters = fields.u16();
  fields.skip((std::uint64_t{name_bytes} + 7) / 8 * 8);
  Fields values{fields.take(std::uint64_t{4} * parameters)};
  while (values.left() > 0) filter.parameters.push_back(values.u32());
  if (parameters % 2 != 0) fields.skip(4);
  return filter;
}

}  // namespace

Dataspace parse_dataspace(Bytes message) {
  constexpr std::uint8_t kPermuted = 2;
  constexpr std::uint8_t kNull = 2;
  Fields fields{message};
  const std::uint8_t version = fields.u8();
  Dataspace space{.dimensions = fields.u8()};
  const std::uint8_t flags = fields.u8();
  const std::uint8_t kind = fields.u8();  // says something in version 2 alone
  if (version != 1 && version != 2) {
    throw other_layout(fmt::format("its extent is of HDF5's version {}", version));
  }
  if (version == 1) fields.skip(4);
  if (version == 1 && (flags & kPermuted) != 0) throw other_layout("its dimensions are permuted");
  if (space.dimensions > kMostDimensions) throw damaged("it has too many dimensions");
  space.elements = product_of_dimensions(fields, space.dimensions);
  if (version == 2 && kind == kNull) space.elements = 0;
  return space;
}

Layout parse_layout(Bytes message) {
  constexpr std::uint8_t kVersion = 3;
  Fields fields{message};
  if (const auto version = fields.u8(); version != kVersion) {
    throw other_layout(
        fmt::format("its layout is of HDF5's version {}, not {}", version, kVersion));
  }
  switch (static_cast<LayoutClass>(fields.u8())) {
    case LayoutClass::compact: {
      const std::uint16_t bytes = fields.u16();
      return CompactLayout{fields.take(bytes)};
    }
    case LayoutClass::contiguous: {
      const std::uint64_t address = fields.u64();
      return ContiguousLayout{address, fields.u64()};
    }
    case LayoutClass::chunked:
      return parse_chunked(fields);
  }
  throw other_layout("its elements lie neither in one piece nor in chunks");
}

std::vector<Filter> parse_filters(Bytes message) {
  constexpr std::uint8_t kVersion = 1;
  Fields fields{message};
  if (const auto version = fields.u8(); version != kVersion) {
    throw other_layout(
        fmt::format("its filters are of HDF5's version {}, not {}", version, kVersion));
  }
  const std::uint8_t count = fields.u8();
  fields.skip(6);
  if (count > kMostFilters) throw data_error("it went through {} filters", count);
  std::vector<Filter> filters;
  while (filters.size() < count) filters.push_back(parse_filter(fields));
  return filters;
}

}  // namespace ballast::storage::h5
