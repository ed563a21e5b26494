#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "tensor/element.hpp"

// Products of packed operands (after Goto and van de Geijn 2008, "Anatomy of high-performance
// matrix multiplication"): op(a) is cut into panels of a few rows, op(b) into panels of a few
// columns, both laid out in the order in which the innermost loop reads them.
namespace ballast::kernels {

/// The sizes of a kernel's tile of results, and the depth that one of its steps takes.
struct PanelShape {
  std::size_t rows;
  std::size_t cols;
  std::size_t step;

  [[nodiscard]] std::size_t padded_depth(std::size_t depth) const {
    return (depth + step - 1) / step * step;
  }
};

/// In which direction an operand's elements are neighbors in memory: along the depth of the
/// product, or across it.
enum class Neighbors { along_depth, across_depth };

/// Part of an operand: `count` rows of op(a), or columns of op(b), and `depth` of their elements.
struct PanelSource {
  const std::byte* data;
  std::size_t stride;  ///< elements between runs of neighbors
  std::size_t count;
  std::size_t depth;
  Neighbors neighbors;
  ElementType type = ElementType::fp32;  ///< kernels of fp32 widen others; any other takes its own
};

/// Which of a block's results are neighbors in memory: those of a row, or those of a column.
enum class Order { row_major, column_major };

/// Where a block of results goes.
struct PanelTarget {
  std::byte* data;
  std::size_t stride;  ///< elements from row to row, or from column to column
  ElementType type;    ///< fp32 or bf16
  bool add;            ///< fp32 only
  bool stream;         ///< past the caches: nobody reads it soon
  float alpha;
  Order order = Order::row_major;
};

/// A block of results: panels of op(a), or its rows as they lie in memory, times panels of op(b).
struct PanelBlock {
  const std::byte* a;
  std::size_t a_stride;  ///< elements from row to row; 0: packed
  const std::byte* b;
  std::size_t m;
  std::size_t n;
  std::size_t depth;
  PanelTarget c;
  std::size_t b_stride = 0;  ///< elements from panel to panel of b; 0: one behind the other
};

/// The innermost loops for one element type on one instruction set. Sums run over the depth of a
/// block in steps, in fp32, from zero.
class PanelKernel {
 public:
  virtual ~PanelKernel() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual ElementType type() const = 0;
  [[nodiscard]] virtual PanelShape shape() const = 0;
  /// The longest depth that one block should have: what its panels can take of the caches.
  [[nodiscard]] virtual std::size_t best_depth() const = 0;
  /// Whether op(a) may stay where it is, given that its neighbors lie along the depth.
  [[nodiscard]] virtual bool reads_rows(std::size_t stride, std::size_t depth) const = 0;
  /// Up to so many rows of results an op(b) whose neighbors lie along the depth costs more to pack
  /// than results cost to be stored column by column, with op(a) and op(b) in each other's place.
  [[nodiscard]] virtual std::size_t few_rows() const { return 0; }

  /// Panels of shape().rows by padded_depth elements, one behind the other, padded with zeros.
  virtual void pack_a(const PanelSource& source, std::byte* panels) const = 0;
  /// Panels of shape().cols by padded_depth elements.
  virtual void pack_b(const PanelSource& source, std::byte* panels) const = 0;
  /// One block after the other; a later one may add to what an earlier one stored.
  virtual void multiply_all(std::span<const PanelBlock> blocks) const = 0;
  void multiply(const PanelBlock& block) const { multiply_all({&block, 1}); }
};

/// bf16 on AMX tiles, or null where the processor or the operating system has none.
[[nodiscard]] std::unique_ptr<PanelKernel> make_amx_kernel();

/// fp32 on AVX-512, or null.
[[nodiscard]] std::unique_ptr<PanelKernel> make_avx512_kernel();

/// fp32 on whatever there is, with the same bits everywhere.
[[nodiscard]] std::unique_ptr<PanelKernel> make_portable_kernel();

/// The fastest kernel that takes operands of `type`, be it by widening them.
[[nodiscard]] std::unique_ptr<PanelKernel> make_panel_kernel(ElementType type);

}  // namespace ballast::kernels
