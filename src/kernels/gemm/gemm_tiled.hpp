#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/team.hpp"
#include "kernels/gemm/gemm_library.hpp"

namespace ballast::kernels {

/// The products of an outside library that several threads may call at once, cut into tiles that a
/// team shares. Such a library may sum an element in another order when the shape around it
/// changes, so the cut is the same for one worker as for many: it follows from the shape alone, and
/// each tile is one single-threaded call.
class TiledGemm final : public Gemm {
 public:
  /// `make` makes one instance for each worker, with caches and scratch of its own. `team`, which
  /// may be null, must outlive this.
  TiledGemm(std::unique_ptr<LibraryGemm> (*make)(), Team* team);

  void multiply(const Operand& a, Transpose transpose_a, const Operand& b, Transpose transpose_b,
                const Destination& c, Store store, float alpha) const override;

  [[nodiscard]] bool is_native(ElementType type) const override {
    return instances_.front()->is_native(type);
  }
  [[nodiscard]] std::string description() const override;

 private:
  Team* team_;
  std::vector<std::unique_ptr<LibraryGemm>> instances_;  ///< by worker
};

/// Sizes of a tile; those at the edges may be smaller.
struct GemmTile {
  std::size_t rows;
  std::size_t cols;
};

/// How a result of this shape is cut. Coarse, since each call packs its operands anew.
[[nodiscard]] GemmTile gemm_tile(std::size_t rows, std::size_t cols);

}  // namespace ballast::kernels
