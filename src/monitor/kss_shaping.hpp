#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "monitor/kss.hpp"
#include "monitor/probe_rows.hpp"
#include "monitor/spectral_probe.hpp"

namespace ballast::monitor {

/// Koopman Spectral Shaping (Kim et al. 2026, arXiv:2602.22988) of one step: the gradient of the
/// mean spectral loss over a random half of the blocks, by the sampled states that leave blocks.
/// What enters block 0 is the embedding's and gets none. Nor does a block whose states do not span
/// its operator's directions, as those of block 0 when there are fewer kinds of tokens than that.
///
/// A probe is solved before the step is computed, from the same samples and with the same weights.
/// So the gradient is exact, nothing is carried from step to step, and a resumed run needs nothing.
class KssShaping final : public SolvedBlocks {
 public:
  /// `probe` must outlive this. `shape` is the probe's, but for a capacity of one micro-batch; its
  /// seed draws the blocks.
  KssShaping(SpectralProbe& probe, const SpectralShape& shape, const KssOptions& options = {});

  /// The blocks of `step` are drawn; then the probe is to show the blocks that it solves.
  void begin(std::uint64_t step);
  void solved(std::size_t block, const SpectralSolver& solver, const PairMoments& moments) override;
  /// What the ranks that solved a block made of it, to everyone: the same bits at any rank count.
  /// Collective.
  void share(comm::Communicator& world);

  /// The means over the blocks that were drawn.
  struct Summary {
    double loss = 0.0;
    double near_unit = 0.0;
  };
  [[nodiscard]] Summary summary() const;

  /// dL/dh of the rows of the micro-batch under way at `depth` (1: what leaves block 0), into `out`
  /// [rows, dim]. `rows` hold what was probed. False, and nothing written, where no block that was
  /// drawn meets this depth.
  [[nodiscard]] bool differentiate(const ProbeRows& rows, std::size_t depth, std::span<float> out);

 private:
  /// What a block that was drawn came to.
  struct Solved {
    std::size_t block;
    KssLoss loss;
    KssOperator gradient;
  };
  enum class Side { x, y };

  [[nodiscard]] Solved* find(std::size_t block);
  [[nodiscard]] bool add(Solved* drawn, Side side, const ProbeRows& rows, kernels::Store store,
                         std::span<float> out);

  SpectralProbe* probe_;
  KssOptions options_;
  std::uint64_t seed_;
  std::size_t layers_;
  KssGradient gradient_;
  std::vector<std::size_t> order_;  ///< [layers]: the blocks, those drawn first
  std::vector<Solved> solved_;      ///< half of them
  std::vector<float> inside_;       ///< [rows, directions]: the gradient in a block's directions
};

}  // namespace ballast::monitor
