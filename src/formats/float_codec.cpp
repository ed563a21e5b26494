#include "formats/float_codec.hpp"

#include <bit>
#include <cstring>

#include "base/error.hpp"
#include "kernels/lanes/stored.hpp"

namespace ballast::formats {

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

namespace {

bool is_finite(float value) {
  return (std::bit_cast<std::uint32_t>(value) & kernels::kMagnitudeBits) < kernels::kInfinityBits;
}

void require_room(ElementType type, std::size_t elements, std::size_t bytes) {
  if (elements * size_of(type) == bytes) return;
  throw internal_error("{} elements of type {} are no {} bytes", elements, name_of(type), bytes);
}

// The bytes of a file stand at any address: elements are copied, not read in place.
template <class Stored>
void decode_as(std::span<const std::uint8_t> bytes, std::span<float> out) {
  typename Stored::Element element{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
    out[i] = Stored::load(element);
  }
}

template <class Stored>
std::optional<std::size_t> encode_as(std::span<const float> values, std::span<std::uint8_t> bytes) {
  std::optional<std::size_t> lost;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const typename Stored::Element element = Stored::store(values[i]);
    std::memcpy(bytes.data() + i * sizeof element, &element, sizeof element);
    if (!lost && is_finite(values[i]) && !is_finite(Stored::load(element))) lost = i;
  }
  return lost;
}

}  // namespace

void decode(ElementType type, std::span<const std::uint8_t> bytes, std::span<float> out) {
  require_room(type, out.size(), bytes.size());
  switch (type) {
    case ElementType::fp32:
      return decode_as<kernels::StoredFp32>(bytes, out);
    case ElementType::bf16:
      return decode_as<kernels::StoredBf16>(bytes, out);
    case ElementType::fp16:
      return decode_as<kernels::StoredFp16>(bytes, out);
  }
}

std::optional<std::size_t> encode(ElementType type, std::span<const float> values,
                                  std::span<std::uint8_t> bytes) {
  require_room(type, values.size(), bytes.size());
  switch (type) {
    case ElementType::fp32:
      return encode_as<kernels::StoredFp32>(values, bytes);
    case ElementType::bf16:
      return encode_as<kernels::StoredBf16>(values, bytes);
    case ElementType::fp16:
      return encode_as<kernels::StoredFp16>(values, bytes);
  }
  throw internal_error("no such type of elements");
}

}  // namespace ballast::formats
