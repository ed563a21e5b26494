#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm.hpp"
#include "monitor/probe/probe_rows.hpp"
#include "monitor/spectral/moments.hpp"
#include "monitor/spectral/principal_basis.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor {

struct SpectralShape {
  static constexpr std::size_t kWidest = 256;

  std::size_t layers = 0;
  std::size_t dim = 0;
  std::size_t rank = 0;      ///< directions that a wide stream is looked at in
  std::size_t tokens = 0;    ///< that the job samples, at most
  std::size_t capacity = 0;  ///< that this rank samples, at most
  std::uint64_t seed = 0;
  std::size_t widest = kWidest;  ///< streams up to this width are taken whole
};

/// Is shown each block by the probe that has just solved it, on the rank that did.
class SolvedBlocks {
 public:
  virtual ~SolvedBlocks() = default;
  virtual void solved(std::size_t block, const SpectralSolver& solver,
                      const PairMoments& moments) = 0;
};

/// What a probe costs, as the number of operations that a training does in the same time: an
/// estimate from shapes alone, so that it is the same on every rank. Sums and decompositions run at
/// about a quarter of a training's rate.
[[nodiscard]] double estimated_flop(const SpectralShape& shape);

/// The spectra of all blocks from the rows that ranks have sampled: moments are summed over the
/// job, the blocks are solved by the ranks in turn, and everyone gets all features.
class SpectralProbe {
 public:
  /// Streams up to this width are taken whole; wider ones in the directions in which they vary
  /// most.
  static constexpr std::size_t kWidest = SpectralShape::kWidest;

  /// `gemm` must outlive this.
  SpectralProbe(const SpectralShape& shape, const kernels::Gemm& gemm);

  /// Coordinates of an operator.
  [[nodiscard]] std::size_t directions() const { return layout_.dim(); }

  /// The rank that solves a block.
  [[nodiscard]] static int solver_of(std::size_t block, const comm::Communicator& world);

  /// `spectra` and `eigenvalues`: of each block, on every rank. `watcher` may be null. Collective.
  void measure(comm::Communicator& world, const ProbeRows& rows,
               std::vector<SpectralFeatures>& spectra,
               std::vector<std::vector<std::complex<double>>>& eigenvalues,
               SolvedBlocks* watcher = nullptr);

  /// What enters a block and what leaves it, of the micro-batch that `rows` hold last, in the
  /// coordinates of its operator. `rows` are those that were measured last, or such as have got as
  /// far again.
  struct Pairs {
    StreamRows x, y;
  };
  [[nodiscard]] Pairs pairs(const ProbeRows& rows, std::size_t block) const;
  /// From a block's coordinates back to those of the stream: in [n, directions], out [n, dim].
  void lift(std::size_t block, std::span<const float> in, std::span<float> out,
            kernels::Store store);

 private:
  void project(const ProbeRows& rows);
  [[nodiscard]] StreamRows stream_of(const ProbeRows& rows, std::size_t stream, std::size_t first,
                                     std::size_t end) const;
  [[nodiscard]] std::span<const StreamRows> streams_of(const ProbeRows& rows, std::size_t first,
                                                       std::size_t end);
  template <class Visit>
  void for_each_micro_batch(const ProbeRows& rows, Visit&& visit);
  void sum_moments(comm::Communicator& world, const ProbeRows& rows);
  void solve_own(const comm::Communicator& world, SolvedBlocks* watcher);
  void share(comm::Communicator& world);
  [[nodiscard]] std::span<std::complex<double>> eigenvalues_of(std::size_t block);

  MomentLayout layout_;
  std::optional<PrincipalBasis> basis_;  ///< of wide streams
  LeafMoments leaf_;
  SpectralSolver solver_;
  PairMoments moments_;
  std::vector<float> projected_;  ///< [streams][capacity, directions], of wide streams
  std::vector<float> no_shift_;
  std::vector<StreamRows> streams_;
  std::vector<std::int32_t> exponents_;
  std::vector<std::int64_t> exponent_words_;
  std::vector<std::int64_t> words_;
  std::vector<SpectralFeatures> features_;         ///< [layers]
  std::vector<std::complex<double>> eigenvalues_;  ///< [layers, directions]
};

}  // namespace ballast::monitor
