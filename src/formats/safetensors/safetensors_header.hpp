#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors/safetensors_dtype.hpp"

namespace ballast::formats {

/// A safetensors file begins with the length of its header: 8 bytes, the lowest first.
inline constexpr std::uint64_t kSafetensorsLengthBytes = 8;
/// The longest header, as the reference has it.
inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;
/// Tensors of a file, and bytes of a name. The largest dense models have some 1,500 tensors, with
/// names below 100 bytes.
inline constexpr std::size_t kMostTensors = 32'768;
inline constexpr std::size_t kLongestTensorName = 1'024;

/// A tensor of a file, as the header describes it. It is dense and row-major.
struct SafetensorsTensor {
  std::string name;
  const SafetensorsDtype* dtype = nullptr;
  std::vector<std::uint64_t> shape;  ///< none: one element; a dimension of 0: no element
  std::uint64_t numel = 0;
  std::uint64_t begin = 0;  ///< its bytes are [begin, end), counted from the end of the header
  std::uint64_t end = 0;
};

/// The tensors of a header, in its order. `text`: the header without its length; `data_bytes`: what
/// follows it in the file. Throws a data Error that names the tensor, or the byte of the text, if
/// the text is not what the format demands, or if the tensors do not cover the data exactly,
/// without holes and overlaps. A type that Ballast does not read is accepted here.
///
/// Stricter than the reference: no name twice, nothing before the `{`, and the limits above.
[[nodiscard]] std::vector<SafetensorsTensor> parse_safetensors_header(std::string_view text,
                                                                      std::uint64_t data_bytes);

}  // namespace ballast::formats
