#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm.hpp"
#include "monitor/probe/probe_rows.hpp"
#include "monitor/spectral/projection.hpp"

namespace ballast::monitor {

/// The directions in which wide residual streams vary most. Every probe finds them from its own
/// rows, so no state is kept between probes, and a resumed run finds the same.
class PrincipalBasis {
 public:
  /// Directions besides those used (if there are more), and rounds of power iteration: a randomized
  /// range finder needs them to be as good as the exact components (Halko, Martinsson and Tropp
  /// 2011, section 4).
  static constexpr std::size_t kOversampling = 10;
  static constexpr int kRounds = 2;

  /// Of the streams at depths 0 to `layers` − 1; `gemm` must outlive this.
  PrincipalBasis(std::size_t layers, std::size_t dim, std::size_t rank, std::size_t tokens,
                 std::size_t capacity, std::uint64_t seed, const kernels::Gemm& gemm);

  /// Collective.
  void find(comm::Communicator& world, const ProbeRows& rows);
  /// out: [n, rank]: the rows of `depth` in the directions of `layer`'s basis.
  void project(const ProbeRows& rows, std::size_t depth, std::size_t layer, std::span<float> out);
  /// The other way: in [n, rank], coordinates in the directions of `layer`'s basis; out [n, dim].
  void lift(std::size_t layer, std::span<const float> in, std::span<float> out,
            kernels::Store store);

 private:
  void improve(comm::Communicator& world, const ProbeRows& rows);
  void project_parts(Projector& projector, const ProbeRows& rows, std::size_t depth,
                     std::span<const float> basis, std::span<float> out);
  [[nodiscard]] StreamRows stream(const ProbeRows& rows, std::size_t depth, std::size_t first,
                                  std::size_t end) const;
  [[nodiscard]] std::span<double> basis(std::size_t layer);

  SketchLayout layout_;
  std::size_t rank_;
  std::uint64_t seed_;
  const kernels::Gemm* gemm_;
  LeafSketch leaf_;
  BasisFinder finder_;
  Projector sketcher_;   ///< into all directions, while the basis is sought
  Projector projector_;  ///< into those that are used
  Sketch sketch_;
  std::vector<float> no_shift_;
  std::vector<double> bases_;  ///< [layers][dim, directions sought], column-major
  std::vector<float> narrow_;  ///< one of them, as products read it
  std::vector<float> projected_;
  std::vector<std::int32_t> exponents_;
  std::vector<std::int64_t> exponent_words_;
  std::vector<std::int64_t> words_;
};

}  // namespace ballast::monitor
