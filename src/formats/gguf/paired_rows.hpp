#pragma once

#include <cstddef>
#include <string_view>

namespace ballast::formats {

/// The order of the rows of a tensor in a file. Rotary positions turn element i of a head together
/// with element i + head_dim / 2 here and in most architectures of llama.cpp; in some of them with
/// its neighbor: there the rows that make queries and keys stand pair by pair, head for head.
struct PairedRows {
  std::size_t head_dim = 0;  ///< 0: rows stand as they do here

  [[nodiscard]] bool is_identity() const { return head_dim == 0; }
  /// Where in the file our row is: of a head i becomes 2 i, and i + head_dim / 2 becomes 2 i + 1.
  [[nodiscard]] std::size_t in_file(std::size_t row) const {
    if (is_identity()) return row;
    const std::size_t half = head_dim / 2;
    const std::size_t within = row % head_dim;
    return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
  }
};

/// Whether a tensor of this name ("block.3.wq") makes queries or keys: its rows, or those of a bias
/// its elements, are what positions turn.
[[nodiscard]] constexpr bool makes_queries_or_keys(std::string_view tensor) {
  return tensor.ends_with(".wq") || tensor.ends_with(".wk") || tensor.ends_with(".bq") ||
         tensor.ends_with(".bk");
}

}  // namespace ballast::formats
