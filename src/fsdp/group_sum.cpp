#include "fsdp/group_sum.hpp"

#include <algorithm>
#include <array>

#include "fsdp/bf16_in_place.hpp"
#include "kernels/convert.hpp"
#include "kernels/fold.hpp"

namespace ballast::fsdp {

namespace {

using kernels::Store;

/// Elements of a group's sum that are formed, and then added, while they are in the first cache.
constexpr std::size_t kBlock = 2048;

/// Sources that one call of the kernel takes.
constexpr std::size_t kSources = 64;

/// out = out + sums[0] + sums[1] + ..., or without `out` at first.
void fold_sums(std::span<const LeafSum> sums, Store store, std::span<float> out, std::size_t at) {
  std::array<const float*, kSources> sources{};
  while (!sums.empty()) {
    const std::size_t count = std::min(kSources, sums.size());
    for (std::size_t i = 0; i < count; ++i) sources[i] = sums[i].values;
    kernels::fold(std::span{sources}.first(count), store, out, at);
    store = Store::add;
    sums = sums.subspan(count);
  }
}

/// The first sums: those of one group.
std::span<const LeafSum> first_group(const LeafGroups& groups, std::span<const LeafSum> sums) {
  const std::size_t group = groups.group_of(sums.front().leaves.first);
  const auto end = std::ranges::find_if(
      sums, [&](const LeafSum& sum) { return groups.group_of(sum.leaves.first) != group; });
  return sums.first(static_cast<std::size_t>(end - sums.begin()));
}

/// Adds sums of several groups to `accumulator`, at most kBlock elements.
void add_block(const LeafGroups& groups, const Wave& wave, std::span<const LeafSum> sums,
               std::size_t at, std::span<float> accumulator, std::span<float> open) {
  std::array<float, kBlock> room;
  while (!sums.empty()) {
    const auto group = first_group(groups, sums);
    sums = sums.subspan(group.size());
    const bool begins = groups.begins(group.front().leaves.first);
    const bool ends = groups.ends(group.back().leaves.end() - 1, wave.leaves);
    const auto sum = begins && ends ? std::span{room}.first(accumulator.size()) : open;
    fold_sums(group, begins ? Store::overwrite : Store::add, sum, at);
    if (!ends) return;
    if (groups.rounds) round_to_bf16(sum);
    const float* const source = sum.data();
    const bool is_first = groups.group_of(group.front().leaves.first) == 0;
    kernels::fold({&source, 1}, is_first ? Store::overwrite : Store::add, accumulator);
  }
}

}  // namespace

bool add_groups(const LeafGroups& groups, const Wave& wave, std::span<const LeafSum> sums,
                std::size_t at, std::span<float> accumulator, std::span<float> open) {
  if (groups.size == 1 && !groups.rounds) {
    fold_sums(sums, wave.store(), accumulator, at);
    return kernels::all_finite(accumulator);
  }
  for (std::size_t start = 0; start < accumulator.size(); start += kBlock) {
    const std::size_t count = std::min(kBlock, accumulator.size() - start);
    add_block(groups, wave, sums, at + start, accumulator.subspan(start, count),
              open.empty() ? open : open.subspan(start, count));
  }
  const bool has_sum = wave.end_leaf() >= std::min(groups.size, wave.leaves);
  const bool is_open = !groups.ends(wave.end_leaf() - 1, wave.leaves);
  return (!has_sum || kernels::all_finite(accumulator)) && (!is_open || kernels::all_finite(open));
}

void add_leaves(std::span<const LeafSum> sums, std::size_t at, std::span<float> out) {
  fold_sums(sums, Store::overwrite, out, at);
}

}  // namespace ballast::fsdp
