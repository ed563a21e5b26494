#pragma once

#include <cstddef>
#include <span>

#include "fsdp/leaf_sum.hpp"
#include "fsdp/wave.hpp"

namespace ballast::fsdp {

/// LeafFold::add for the elements from `at` on, `accumulator.size()` of them: the part of the
/// target's spans. Returns whether all that was written is finite.
[[nodiscard]] bool add_groups(const LeafGroups& groups, const Wave& wave,
                              std::span<const LeafSum> sums, std::size_t at,
                              std::span<float> accumulator, std::span<float> open);

/// out = the sum of the elements from `at` on of all `sums`, left to right.
void add_leaves(std::span<const LeafSum> sums, std::size_t at, std::span<float> out);

}  // namespace ballast::fsdp
