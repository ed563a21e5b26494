#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/team.hpp"
#include "kernels/gemm/gemm_library.hpp"

namespace ballast::kernels {

/// The products of a library that others wrote and that may be called by several threads at once,
/// cut into tiles that a team shares out. Such a
/// library may sum up an element in another order when the shape around it changes, so the cut is
/// the same for one worker as for many: it follows from the shape alone, and each tile is one
/// single-threaded call.
class TiledGemm final : public Gemm {
 public:
  /// `make` gives one instance a worker: each has caches and scratch of its own. `team`, which may
  /// be null, must outlive this.
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
