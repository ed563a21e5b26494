#pragma once

#include <span>
#include <vector>

#include "base/hash.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"

namespace ballast::checkpoint {

/// XXH3-128 over the first `numel` elements of one granule of master, moment1 and moment2, which
/// begin at `offset` of the given spans; of master alone where the moments end before it.
[[nodiscard]] Hash128 granule_hash(const ShardTensors& tensors, std::size_t offset,
                                   std::size_t numel);

/// The hashes of the granules that a rank owns, in the order of its flat shard.
[[nodiscard]] std::vector<Hash128> granule_hashes(const fsdp::ShardLayout& layout,
                                                  const ShardTensors& tensors);

/// The state hash from the granule_hashes of every rank. Collective.
[[nodiscard]] Hash128 combine_hashes(comm::Communicator& world, const fsdp::ShardLayout& layout,
                                     std::span<const Hash128> own, const TrainingState& state);

/// Throws an internal Error unless layout, world and tensors belong together.
void require_fit(const comm::Communicator& world, const fsdp::ShardLayout& layout,
                 const ShardTensors& tensors);

}  // namespace ballast::checkpoint
