#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm.hpp"
#include "monitor/probe/probe_rows.hpp"
#include "monitor/spectral/kss.hpp"
#include "monitor/spectral/spectral_probe.hpp"

namespace ballast::monitor {

/// Koopman Spectral Shaping (Kim et al. 2026, arXiv:2602.22988) of one step: the gradient of the
/// mean spectral loss over a random half of the blocks, with respect to sampled outputs of blocks.
/// Each block is analyzed in the 32 directions in which its states vary most, as in the paper; they
/// are taken as fixed. The input of block 0 comes from the embedding and gets no gradient.
///
/// The operators are solved before the step is computed, from the same samples and with the same
/// weights. So the gradient is that of the current loss, no state is carried from step to step, and
/// a resumed run needs none.
class KssShaping final : private SolvedBlocks {
 public:
  /// Directions that are used of a wider stream.
  static constexpr std::size_t kDirections = 32;

  /// `shape`: of the samples; its seed draws the blocks. `most_rows`: of a micro-batch. `gemm` must
  /// outlive this.
  KssShaping(const SpectralShape& shape, std::size_t most_rows, const kernels::Gemm& gemm,
             const KssOptions& options = {});

  /// `rows` hold the samples of `step`. All ranks get the same bits, at any rank count. Collective.
  void solve(comm::Communicator& world, std::uint64_t step, const ProbeRows& rows);

  /// The means over the blocks that were drawn.
  struct Summary {
    double loss = 0.0;
    double near_unit = 0.0;
  };
  [[nodiscard]] Summary summary() const;

  /// dL/dh of the rows of the micro-batch under way at `depth` (1: what leaves block 0), into `out`
  /// [rows, dim]. `rows` hold the samples that were solved, up to this micro-batch. False, and
  /// nothing written, where no block that was drawn meets this depth.
  [[nodiscard]] bool differentiate(const ProbeRows& rows, std::size_t depth, std::span<float> out);

 private:
  /// The result of a block that was drawn.
  struct Drawn {
    std::size_t block;
    KssLoss loss;
    KssOperator gradient;
  };
  enum class Side { x, y };

  void draw(std::uint64_t step);
  void solved(std::size_t block, const SpectralSolver& solver, const PairMoments& moments) override;
  void share(comm::Communicator& world);
  [[nodiscard]] Drawn* find(std::size_t block);
  [[nodiscard]] bool add(const Drawn* drawn, Side side, const ProbeRows& rows, kernels::Store store,
                         std::span<float> out);

  SpectralProbe probe_;
  KssOptions options_;
  std::uint64_t seed_;
  KssGradient gradient_;
  std::vector<std::size_t> order_;  ///< [layers]: the blocks, those drawn first
  std::vector<Drawn> drawn_;        ///< half of them
  std::vector<SpectralFeatures> spectra_;
  std::vector<std::vector<std::complex<double>>> eigenvalues_;
  std::vector<float> inside_;  ///< [rows, directions]: the gradient in a block's directions
};

}  // namespace ballast::monitor
