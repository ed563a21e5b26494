#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/error.hpp"
#include "base/granule.hpp"
#include "base/narrow.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/shard_file.hpp"

namespace ballast::checkpoint {

namespace {

// Hashes are taken of bytes as they lie in memory; files and hashes of the other byte order would
// need a swap here.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(Hash128) == 16 && std::is_trivially_copyable_v<Hash128>);

/// Appends the hashes of all ranks' granules of one unit: the ranks' ranges side by side are the
/// unit, so the order is canonical at any rank count.
void append_unit(comm::Communicator& world, const fsdp::ShardLayout& layout, model::UnitId unit,
                 std::span<const Hash128> own, Hasher& hasher) {
  std::vector<std::size_t> counts;
  std::vector<std::size_t> offsets;
  for (std::size_t rank = 0; rank < layout.world_size(); ++rank) {
    const GranuleRange range = layout.range(unit, rank);
    counts.push_back(range.count * sizeof(Hash128));
    offsets.push_back(range.first * sizeof(Hash128));
  }
  std::vector<Hash128> all(layout.table().unit(unit).granules);
  world.all_gather(std::as_bytes(own), std::as_writable_bytes(std::span{all}), counts, offsets,
                   {"state hash", layout.table().unit(unit).name});
  hasher.update(std::as_bytes(std::span{all}));
}

std::array<std::uint64_t, 6> state_words(const TrainingState& state) {
  return {state.step,   state.optimizer_steps, state.seed,
          state.cursor, state.tokens,          std::bit_cast<std::uint64_t>(state.loss_scale)};
}

}  // namespace

void require_fit(const comm::Communicator& world, const fsdp::ShardLayout& layout,
                 const ShardTensors& tensors) {
  const bool same_world = narrow<std::size_t>(world.rank()) == layout.rank() &&
                          narrow<std::size_t>(world.size()) == layout.world_size();
  const bool same_size = std::ranges::all_of(
      kParts, [&](Part part) { return part_of(tensors, part).size() == layout.local_numel(); });
  if (!same_world || !same_size) {
    throw internal_error("checkpoint: the shards do not have the layout of {}", world.name());
  }
}

Hash128 granule_hash(const ShardTensors& tensors, std::size_t offset, std::size_t numel) {
  std::array<float, kParts.size() * kGranule> values;
  auto out = values.begin();
  for (const Part part : kParts) {
    out = std::ranges::copy(part_of(tensors, part).subspan(offset, numel), out).out;
  }
  return hash_of(std::span<const float>{values.begin(), out});
}

std::vector<Hash128> granule_hashes(const fsdp::ShardLayout& layout, const ShardTensors& tensors) {
  std::vector<Hash128> hashes;
  hashes.reserve(layout.local_numel() / kGranule);
  for (const auto& segment : layout.segments()) {
    for (std::size_t done = 0; done < segment.granules.numel(); done += kGranule) {
      const std::size_t numel = std::min(kGranule, segment.logical_numel - done);
      hashes.push_back(granule_hash(tensors, segment.local_offset + done, numel));
    }
  }
  return hashes;
}

Hash128 combine_hashes(comm::Communicator& world, const fsdp::ShardLayout& layout,
                       std::span<const Hash128> own, const TrainingState& state) {
  Hasher hasher;
  for (model::UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    append_unit(world, layout, unit,
                own.subspan(layout.local_offset(unit) / kGranule, layout.own_range(unit).count),
                hasher);
  }
  const auto words = state_words(state);
  hasher.update(std::as_bytes(std::span{words}));
  return hasher.digest();
}

Hash128 state_hash(comm::Communicator& world, const fsdp::ShardLayout& layout,
                   const ShardTensors& tensors, const TrainingState& state) {
  require_fit(world, layout, tensors);
  return combine_hashes(world, layout, granule_hashes(layout, tensors), state);
}

}  // namespace ballast::checkpoint
