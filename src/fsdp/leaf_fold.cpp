#include "fsdp/leaf_fold.hpp"

#include <algorithm>
#include <atomic>

#include "base/granule.hpp"
#include "kernels/convert.hpp"
#include "kernels/fold.hpp"

namespace ballast::fsdp {

namespace {

/// Granules that are folded and then checked while they are still in the second-level cache.
constexpr std::size_t kPieceGranules = 32;

}  // namespace

void LeafFold::begin_step() {
  reductions_ = 0;
  offender_.reset();
}

void LeafFold::begin(model::UnitId unit) {
  unit_ = unit;
  ++reductions_;
}

void LeafFold::add(const Wave& wave, std::span<const float* const> slices,
                   std::size_t first_granule, std::span<float> accumulator) {
  constexpr std::size_t kPiece = kPieceGranules * kGranule;
  const bool looks = !offender_;
  // The first element of the first piece that holds a non-finite number.
  std::atomic<std::size_t> worst{SIZE_MAX};
  const std::size_t pieces = (accumulator.size() + kPiece - 1) / kPiece;
  run_tasks(team_, pieces, [&](std::size_t task, std::size_t) {
    const std::size_t at = task * kPiece;
    const auto piece = accumulator.subspan(at, std::min(kPiece, accumulator.size() - at));
    kernels::fold(slices, wave.store, piece, at);
    if (!looks || kernels::all_finite(piece)) return;
    std::size_t known = worst.load();
    while (at < known && !worst.compare_exchange_weak(known, at)) {
    }
  });
  const std::size_t at = worst;
  if (at != SIZE_MAX) {
    find_offender(wave, slices, at, std::min(kPiece, accumulator.size() - at), first_granule);
  }
}

/// In the piece of `numel` elements `at` in the slices, which start at `first_granule`.
void LeafFold::find_offender(const Wave& wave, std::span<const float* const> slices, std::size_t at,
                             std::size_t numel, std::size_t first_granule) {
  const std::size_t granule = first_granule + at / kGranule;
  for (std::size_t rank = 0; rank < slices.size(); ++rank) {
    for (std::size_t g = 0; g < numel / kGranule; ++g) {
      if (kernels::all_finite({slices[rank] + at + g * kGranule, kGranule})) continue;
      offender_ = {reductions_, wave.first_leaf + rank, rank, unit_, granule + g};
      return;
    }
  }
  // All slices are finite, but their sum is not: the last one is reported.
  const std::size_t last = slices.size() - 1;
  offender_ = {reductions_, wave.first_leaf + last, last, unit_, granule};
}

}  // namespace ballast::fsdp
