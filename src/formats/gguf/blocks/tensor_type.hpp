#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/gguf/blocks/block_type.hpp"
#include "formats/gguf/blocks/file_type.hpp"

namespace ballast::formats {

/// What the rules ask of a model.
struct ModelTraits {
  std::string_view architecture;  ///< general.architecture, such as "llama"
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  bool is_tied = false;      ///< there is no output.weight: the embedding is the output head too
  bool is_weighted = false;  ///< an importance matrix weighs the errors
};

/// What they ask of a tensor.
struct TensorTraits {
  std::string_view name;  ///< in GGUF, such as "blk.3.attn_v.weight"
  std::size_t dimensions = 0;
  std::uint64_t row = 0;  ///< values a row
};

/// The type of a tensor in a file of this type, by llama.cpp's rules. Vectors and norms are f32.
/// The output head, and the values and the way out of the feed-forward layer in some layers, get
/// more bits than the others. A row that is no whole number of a type's blocks gets a type of
/// nearly as many bits with blocks of 32 values, or f16.
[[nodiscard]] BlockType tensor_type(GgufFileType file_type, const ModelTraits& model,
                                    const TensorTraits& tensor);

}  // namespace ballast::formats
