#include "monitor/footprint.hpp"

#include <algorithm>

#include "monitor/spectral/moments_fixed_point.hpp"

namespace ballast::monitor {

namespace {

using fixed_point::kChunkRows;

constexpr std::uint64_t kFloat = sizeof(float);
constexpr std::uint64_t kDouble = sizeof(double);

/// Matrices [m, m] of doubles that a solver keeps, its LAPACK workspace's two among them; those of
/// PairMoments and of LeafMoments.
constexpr std::uint64_t kSquares = 9 + 3 + 3;

/// Everything but the rows, where streams are looked at in `order` directions.
std::uint64_t bytes_of_moments(const MomentLayout& layout) {
  const std::uint64_t order = layout.dim();
  return kDouble * (layout.words() + kSquares * order * order + 2 * kChunkRows * order);
}

/// The search for the directions of wide streams, and the rows in them.
std::uint64_t bytes_of_basis(const SpectralShape& shape) {
  const SketchLayout sketch{shape.layers, shape.dim,
                            std::min(shape.rank + PrincipalBasis::kOversampling, shape.dim),
                            shape.tokens};
  const std::uint64_t basis = sketch.dim() * sketch.rank();
  const std::uint64_t sought = shape.layers * shape.capacity * sketch.rank();
  const std::uint64_t used = 2 * shape.layers * shape.capacity * shape.rank;
  const std::uint64_t chunks = kChunkRows * (2 * sketch.dim() + sketch.rank());
  // Of bases one a layer, and three of one layer at a time: its sums, its sketch, its next basis.
  // Of squares the Ritz problem's, with its LAPACK workspace.
  return kFloat * (sought + used + basis) +
         kDouble * ((shape.layers + 3) * basis + 3 * sketch.rank() * sketch.rank() +
                    sketch.words() + chunks);
}

}  // namespace

std::uint64_t footprint(const MonitorOptions& options) {
  if (options.every == 0) return 0;
  const SpectralShape shape = shape_of(options);
  const std::uint64_t rows = kFloat * (shape.layers + 1) * shape.capacity * shape.dim;
  if (shape.dim <= shape.widest) {
    return rows + bytes_of_moments({shape.layers, shape.dim, Streams::chained, shape.tokens});
  }
  return rows + bytes_of_basis(shape) +
         bytes_of_moments({shape.layers, shape.rank, Streams::paired, shape.tokens});
}

}  // namespace ballast::monitor
