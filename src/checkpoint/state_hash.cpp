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
/// unit, so the order is canonical at any rank count and sharding.
void append_unit(comm::Communicator& world, const fsdp::ShardLayout& layout, model::UnitId unit,
                 std::span<const Hash128> own, Hasher& hasher) {
  std::vector<std::size_t> counts;
  std::vector<std::size_t> offsets;
  for (std::size_t rank = 0; rank < layout.ranks(); ++rank) {
    const GranuleRange range = layout.owned(unit, rank);
    counts.push_back(range.count * sizeof(Hash128));
    offsets.push_back(range.first * sizeof(Hash128));
  }
  std::vector<Hash128> all(layout.table().unit(unit).granules);
  world.all_gather(std::as_bytes(own), std::as_writable_bytes(std::span{all}), counts, offsets,
                   {"state hash", layout.table().unit(unit).name});
  hasher.update(std::as_bytes(std::span{all}));
}

std::array<std::uint64_t, 6> state_words(const TrainingState& state) {
  return {state.step,   state.optimizer_steps,
          state.seed,   state.cursor,
          state.tokens, std::bit_cast<std::uint64_t>(state.loss_scaler.scale)};
}

}  // namespace

void require_fit(const comm::Communicator& world, const fsdp::ShardLayout& layout,
                 const ShardTensors& tensors) {
  const bool same_world = narrow<std::size_t>(world.rank()) == layout.rank() &&
                          narrow<std::size_t>(world.size()) == layout.ranks();
  const bool same_size = std::ranges::all_of(
      kParts, [&](Part part) { return part_size(tensors, part) == layout.local_numel(); });
  if (!same_world || !same_size) {
    throw internal_error("checkpoint: the shards do not have the layout of {}", world.name());
  }
}

Hash128 granule_hash(const ShardTensors& tensors, std::size_t offset, std::size_t numel) {
  std::array<float, kParts.size() * kGranule> values;
  std::size_t filled = 0;
  for (const Part part : kParts) {
    read_part(tensors, part, offset, std::span{values}.subspan(filled, numel));
    filled += numel;
  }
  return hash_of(std::span<const float>{values}.first(filled));
}

std::vector<Hash128> granule_hashes(const fsdp::ShardLayout& layout, const ShardTensors& tensors) {
  std::vector<Hash128> hashes;
  hashes.reserve(layout.owned_granules(layout.rank()));
  for (const auto& segment : layout.owned_segments()) {
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
  std::size_t start = 0;
  for (model::UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    const std::size_t granules = layout.owned(unit).count;
    append_unit(world, layout, unit, own.subspan(start, granules), hasher);
    start += granules;
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
