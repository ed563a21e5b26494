#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/attention/attention_dims.hpp"
#include "kernels/attention/attention_rule.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "tensor/element.hpp"

// How attention is cut into tiles, where these lie, and which keys their tokens see.
namespace ballast::kernels {

/// Tokens of one tile: [queries, keys] logits in the forward, [keys, queries] in the backward. A
/// kernel takes as many of its whole panels as fit.
struct AttentionTileSize {
  std::size_t queries;
  std::size_t keys;
};
inline constexpr AttentionTileSize kForwardTile{64, 256};
inline constexpr AttentionTileSize kBackwardTile{128, 128};

/// No panel of any kernel is wider, and no step deeper.
inline constexpr std::size_t kWidestPanel = 32;

[[nodiscard]] constexpr std::size_t rounded_up(std::size_t count, std::size_t step) {
  return (count + step - 1) / step * step;
}

/// Rows are a power of two and one cache line apart: else neighbors would share few cache sets.
[[nodiscard]] constexpr std::size_t tile_stride(std::size_t cols) {
  return rounded_up(cols, kWidestPanel) + kWidestPanel;
}

/// The places of a tile's matrices in scratch. They need not be cleared.
struct ForwardRooms {
  float* keys;           ///< panels: [head_dim, seq_len]
  float* values;         ///< panels: [seq_len, head_dim]
  float* queries;        ///< panels: [queries, head_dim]
  float* logits;         ///< [queries, keys]
  float* probabilities;  ///< [queries, keys], of the kernel's type
  float* panels;         ///< of the probabilities
  float* out;            ///< [queries, head_dim]
  float* max;            ///< [queries]
  float* sum;            ///< [queries, kLanes]
  std::size_t stride;    ///< of logits and probabilities
};

struct BackwardRooms {
  float* key_rows;       ///< panels: [seq_len, head_dim] as op(a)
  float* value_rows;     ///< panels: [seq_len, head_dim] as op(a)
  float* keys;           ///< panels: [seq_len, head_dim] as op(b)
  float* dk;             ///< [seq_len, head_dim]
  float* dv;             ///< [seq_len, head_dim]
  float* query_cols;     ///< panels: [head_dim, queries]
  float* dout_cols;      ///< panels: [head_dim, queries]
  float* queries;        ///< panels: [queries, head_dim]
  float* dout;           ///< panels: [queries, head_dim]
  float* dq;             ///< [queries, head_dim]
  float* logits;         ///< [keys, queries]
  float* dlogits;        ///< [keys, queries]
  float* probabilities;  ///< [keys, queries], of the kernel's type
  float* gradients;      ///< [keys, queries], of the kernel's type
  float* panels;         ///< of either
  float* log_sum_exp;    ///< [queries]
  float* dot;            ///< [queries] Σ out dout
  std::size_t stride;    ///< of the tiles of [keys, queries]
};

/// The part of the scratch that one worker uses.
[[nodiscard]] std::span<float> worker_scratch(const AttentionDims& dims, std::span<float> scratch,
                                              std::size_t worker);

/// Throw an internal Error when `scratch` is too small.
[[nodiscard]] ForwardRooms forward_rooms(const AttentionDims& dims, std::span<float> scratch);
[[nodiscard]] BackwardRooms backward_rooms(const AttentionDims& dims, std::span<float> scratch);

/// The stride between rows of a tile of outputs or their gradients in scratch: [.., head_dim].
[[nodiscard]] constexpr std::size_t head_stride(const AttentionDims& dims) {
  return rounded_up(dims.head_dim, kWidestPanel);
}

/// A run of tokens, counted from the start of the sequence.
struct TokenRange {
  std::size_t begin;
  std::size_t end;
};

/// Which keys the tokens of one sequence see.
class AttentionMask {
 public:
  /// segments: those of all tokens, [dims.tokens()], or empty; start: the sequence's first token.
  AttentionMask(const AttentionDims& dims, const AttentionRule& rule,
                std::span<const std::int32_t> segments, std::size_t start)
      : seq_len_{dims.seq_len},
        window_{rule.window},
        segments_{segments.empty() ? segments : segments.subspan(start, dims.seq_len)} {}

  /// The first key that `query` sees; the last is itself.
  [[nodiscard]] std::size_t first_key(std::size_t query) const;
  /// first_key of each of `queries`, in order.
  void first_keys(TokenRange queries, std::size_t* first) const;
  /// For each of `keys`, in order, one past the last query that sees it; the first is itself.
  void queries_ends(TokenRange keys, std::size_t* end) const;

 private:
  [[nodiscard]] std::size_t segment_begin(std::size_t token) const;
  [[nodiscard]] std::size_t segment_end(std::size_t token) const;

  std::size_t seq_len_;
  std::size_t window_;  ///< 0: all earlier keys
  std::span<const std::int32_t> segments_;
};

/// One head of x: [tokens, heads, head_dim] from `token` on.
template <class Byte>
struct HeadRows {
  Byte* data;
  std::size_t stride;
  ElementType type;
};

template <class Byte>
[[nodiscard]] HeadRows<Byte> head_rows(const BasicElements<Byte>& x, std::size_t token,
                                       std::size_t head, std::size_t heads, std::size_t head_dim) {
  return {x.data() + (token * heads + head) * head_dim * size_of(x.type()), heads * head_dim,
          x.type()};
}

/// `count` rows of a head as an operand whose rows are op(a)'s, or op(b)'s columns ...
[[nodiscard]] inline PanelSource along(const HeadRows<const std::byte>& x, std::size_t count,
                                       std::size_t head_dim) {
  return {x.data, x.stride, count, head_dim, Neighbors::along_depth, x.type};
}
/// ... and as one whose rows are the depth.
[[nodiscard]] inline PanelSource across(const HeadRows<const std::byte>& x, std::size_t count,
                                        std::size_t head_dim) {
  return {x.data, x.stride, head_dim, count, Neighbors::across_depth, x.type};
}

/// The columns of a row of a tile that count, [begin, end); none where they are equal.
struct SeenCols {
  std::size_t begin;
  std::size_t end;
};

/// A tile of probabilities or of their gradients: `type` is the kernel's.
struct WeightTile {
  std::byte* data;
  std::size_t stride;
  ElementType type;
};

/// op(a) of a product, and how it lies.
struct LeftOperand {
  const std::byte* data;
  std::size_t stride;
};

/// Rows of a tile as op(a), the columns `cols` of them: where they are if the kernel can, or packed
/// in `panels`.
[[nodiscard]] LeftOperand left_operand(const PanelKernel& kernel, const WeightTile& tile,
                                       TokenRange rows, SeenCols cols, std::byte* panels);

/// Where `row` of packed op(a), or the column `row` of packed op(b), starts: a multiple of `width`.
template <class Float>
[[nodiscard]] auto* panel_at(const PanelKernel& kernel, Float* panels, std::size_t row,
                             std::size_t depth) {
  using Byte = std::conditional_t<std::is_const_v<Float>, const std::byte, std::byte>;
  return reinterpret_cast<Byte*>(panels) +
         row * kernel.shape().padded_depth(depth) * size_of(kernel.type());
}

/// Those of the `count` rows from `row` on together, from a panel's first column on. From row to
/// row, neither begin nor end decreases.
[[nodiscard]] inline SeenCols seen_by_panel(const SeenCols* seen, std::size_t row,
                                            std::size_t count, PanelShape shape) {
  const SeenCols all{seen[row].begin / shape.cols * shape.cols, seen[row + count - 1].end};
  return all.begin < all.end ? all : SeenCols{0, 0};
}

/// The products of a tile, one for each of its row panels, since each sees other columns.
class RowPanels {
 public:
  explicit RowPanels(const PanelKernel& kernel) : kernel_{kernel} {}

  void add(const PanelBlock& block) { blocks_.at(count_++) = block; }
  void multiply() const { kernel_.multiply_all({blocks_.data(), count_}); }

 private:
  /// No kernel's panels have fewer rows.
  static constexpr std::size_t kFewestRows = 6;
  static constexpr std::size_t kMost = (kBackwardTile.queries + kFewestRows - 1) / kFewestRows;

  const PanelKernel& kernel_;
  std::array<PanelBlock, kMost> blocks_;
  std::size_t count_ = 0;
};

}  // namespace ballast::kernels
