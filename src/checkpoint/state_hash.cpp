#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <type_traits>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/granule.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/granule_hashes.hpp"
#include "checkpoint/shard_file.hpp"

namespace ballast::checkpoint {

namespace {

// Hashes are taken of bytes as they lie in memory; files and hashes of the other byte order would
// need a swap here.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(Hash128) == 16 && std::is_trivially_copyable_v<Hash128>);

/// The hashes of all ranks' granules of one unit: the ranks' ranges side by side are the unit.
std::vector<Hash128> gather_unit(comm::Communicator& world, const fsdp::ShardLayout& layout,
                                 model::UnitId unit, std::span<const Hash128> own) {
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
  return all;
}

/// Hashes of granules as they come, unit by unit, into the canonical order: that of the tensors,
/// whatever unit they are in. A unit is gathered at its first tensor and dropped after its last.
class CanonicalHashes {
 public:
  CanonicalHashes(comm::Communicator& world, const fsdp::ShardLayout& layout,
                  std::span<const Hash128> own)
      : world_{&world}, layout_{&layout}, own_(layout.table().units().size()) {
    std::size_t start = 0;
    for (const model::UnitId unit : layout.order()) {
      const std::size_t granules = layout.owned(unit).count;
      own_[unit] = own.subspan(start, granules);
      start += granules;
    }
  }

  void append(std::size_t row, Hasher& hasher) {
    const auto& parameter = layout_->table().parameters()[row];
    const auto& unit = layout_->table().unit(parameter.unit);
    if (row == unit.rows.front()) {
      units_[parameter.unit] = gather_unit(*world_, *layout_, parameter.unit, own_[parameter.unit]);
    }
    const auto hashes = std::span{units_[parameter.unit]}.subspan(parameter.offset / kGranule,
                                                                  parameter.granules());
    hasher.update(std::as_bytes(hashes));
    if (row == unit.rows.back()) units_.erase(parameter.unit);
  }

 private:
  comm::Communicator* world_;
  const fsdp::ShardLayout* layout_;
  std::vector<std::span<const Hash128>> own_;            ///< by unit
  std::map<model::UnitId, std::vector<Hash128>> units_;  ///< that are gathered and not yet read
};

std::array<std::uint64_t, 6> state_words(const TrainingState& state) {
  return {state.step,   state.optimizer_steps,
          state.seed,   state.cursor,
          state.tokens, std::bit_cast<std::uint64_t>(state.loss_scaler.scale)};
}

}  // namespace

void require_fit(const comm::Communicator& world, const fsdp::ShardLayout& layout,
                 const ShardTensors& tensors) {
  const bool same_world = checked_cast<std::size_t>(world.rank()) == layout.rank() &&
                          checked_cast<std::size_t>(world.size()) == layout.ranks();
  const bool same_size = std::ranges::all_of(kParts, [&](Part part) {
    return part_size(tensors, part) ==
           (part == Part::master ? layout.local_numel() : layout.trained_numel());
  });
  if (!same_world || !same_size) {
    throw internal_error("checkpoint: the shards do not have the layout of {}", world.name());
  }
}

Hash128 granule_hash(const ShardTensors& tensors, std::size_t offset, std::size_t numel) {
  std::array<float, kParts.size() * kGranule> values;
  std::size_t filled = 0;
  for (const Part part : kParts) {
    const std::size_t here = part_numel(part_size(tensors, part), offset, numel);
    read_part(tensors, part, offset, std::span{values}.subspan(filled, here));
    filled += here;
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
  CanonicalHashes hashes{world, layout, own};
  for (std::size_t row = 0; row < layout.table().parameters().size(); ++row) {
    hashes.append(row, hasher);
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
