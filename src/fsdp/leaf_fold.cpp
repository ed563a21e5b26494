#include "fsdp/leaf_fold.hpp"

#include <algorithm>

#include "base/granule.hpp"
#include "kernels/convert.hpp"
#include "kernels/fold.hpp"

namespace ballast::fsdp {

namespace {

/// What is folded and then looked at while it is still in the second-level cache.
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
  piece_.resize(slices.size());
  for (std::size_t at = 0; at < accumulator.size(); at += kPieceGranules * kGranule) {
    const auto piece =
        accumulator.subspan(at, std::min(kPieceGranules * kGranule, accumulator.size() - at));
    for (std::size_t i = 0; i < slices.size(); ++i) piece_[i] = slices[i] + at;
    kernels::fold(piece_, wave.store, piece);
    if (!offender_ && !kernels::all_finite(piece)) {
      find_offender(wave, piece_, first_granule + at / kGranule, piece.size() / kGranule);
    }
  }
}

void LeafFold::find_offender(const Wave& wave, std::span<const float* const> slices,
                             std::size_t first_granule, std::size_t granules) {
  for (std::size_t rank = 0; rank < slices.size(); ++rank) {
    for (std::size_t g = 0; g < granules; ++g) {
      if (kernels::all_finite({slices[rank] + g * kGranule, kGranule})) continue;
      offender_ = {reductions_, wave.first_leaf + rank, rank, unit_, first_granule + g};
      return;
    }
  }
  // Finite slices whose sum is not: the last one tipped it over.
  const std::size_t last = slices.size() - 1;
  offender_ = {reductions_, wave.first_leaf + last, last, unit_, first_granule};
}

}  // namespace ballast::fsdp
