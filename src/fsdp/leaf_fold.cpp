#include "fsdp/leaf_fold.hpp"

#include <algorithm>
#include <atomic>

#include "base/granule.hpp"
#include "fsdp/group_sum.hpp"
#include "kernels/convert.hpp"

namespace ballast::fsdp {

namespace {

/// Granules that are folded and then checked while they are still in the second-level cache.
constexpr std::size_t kPiece = 32 * kGranule;

}  // namespace

void LeafFold::begin_step() {
  reductions_ = 0;
  offender_.reset();
}

void LeafFold::add(const Reduction& reduction, std::span<const LeafSum> sums,
                   const Target& target) {
  by_pieces(reduction, sums, target.accumulator.size(), target.first_granule,
            [&](std::size_t at, std::size_t count) {
              return add_groups(groups_, reduction.wave, sums, at,
                                target.accumulator.subspan(at, count),
                                target.open.empty() ? target.open : target.open.subspan(at, count));
            });
}

void LeafFold::add_up(const Reduction& reduction, std::span<const LeafSum> leaves,
                      std::span<float> out, std::size_t first_granule) {
  by_pieces(reduction, leaves, out.size(), first_granule, [&](std::size_t at, std::size_t count) {
    add_leaves(leaves, at, out.subspan(at, count));
    return kernels::all_finite(out.subspan(at, count));
  });
}

/// Calls work(at, count) for pieces of `numel` elements, each of which returns whether its results
/// are finite, and looks for the cause in the first that are not.
template <class Work>
void LeafFold::by_pieces(const Reduction& reduction, std::span<const LeafSum> sums,
                         std::size_t numel, std::size_t first_granule, Work&& work) {
  std::atomic<std::size_t> worst{SIZE_MAX};  // the start of that piece
  run_tasks(team_, (numel + kPiece - 1) / kPiece, [&](std::size_t task, std::size_t) {
    const std::size_t at = task * kPiece;
    if (work(at, std::min(kPiece, numel - at))) return;
    std::size_t known = worst.load();
    while (at < known && !worst.compare_exchange_weak(known, at)) {
    }
  });
  const std::size_t at = worst;
  if (at == SIZE_MAX || offender_) return;
  find_offender(reduction, sums, at, std::min(kPiece, numel - at), first_granule);
}

/// In the piece of `numel` elements `at` in the sums, which start at `first_granule`.
void LeafFold::find_offender(const Reduction& reduction, std::span<const LeafSum> sums,
                             std::size_t at, std::size_t numel, std::size_t first_granule) {
  const auto report = [&](std::size_t leaf, std::size_t granule) {
    offender_ = {reduction.order, leaf, leaf - reduction.wave.first_leaf, reduction.unit,
                 first_granule + granule};
  };
  for (const LeafSum& sum : sums) {
    for (std::size_t g = at / kGranule; g < (at + numel) / kGranule; ++g) {
      if (kernels::all_finite({sum.values + g * kGranule, kGranule})) continue;
      // Of a sum of several leaves, the host that formed it has found the one.
      if (sum.leaves.count == 1) report(sum.leaves.first, g);
      return;
    }
  }
  // All of them are finite, but their sum is not: the last one is reported.
  report(sums.back().leaves.end() - 1, at / kGranule);
}

}  // namespace ballast::fsdp
