#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "fsdp/shard_layout.hpp"
#include "kernels/gemm.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// One wave: ranks [0, contributors) each bring the gradient of one leaf, in leaf order; the others
/// bring nothing.
struct Wave {
  std::size_t contributors;
  kernels::Store store;  ///< overwrite in the first wave of a step, then add
};

/// Reduces whole-unit gradients to the shards of their owners as a left fold in leaf order: the
/// owner adds the slices of ranks 0, 1, 2, … to one fp32 accumulator, wave after wave. The order of
/// the additions is that of the leaves, whatever the number of ranks, so the bits are too. Bytes
/// move in slabs of bounded size.
class GradientReducer {
 public:
  GradientReducer(const ShardLayout& layout, comm::Communicator& world, Arena& arena);

  /// Collective. `gradient`: the whole unit, read on contributing ranks only; `accumulator`: this
  /// rank's part of the unit.
  void reduce(model::UnitId unit, const Wave& wave, std::span<const float> gradient,
              std::span<float> accumulator);

 private:
  [[nodiscard]] GranuleRange slab_range(model::UnitId unit, std::size_t rank,
                                        std::size_t slab) const;
  void exchange(model::UnitId unit, const Wave& wave, std::size_t slab,
                std::span<const float> gradient);
  void fold(const Wave& wave, std::span<const float> own, std::span<float> accumulator) const;

  const ShardLayout* layout_;
  comm::Communicator* world_;
  const Arena* arena_;
  Arena::Slot<float> received_;  ///< one slab from every rank
  std::vector<std::size_t> send_counts_, send_offsets_, receive_counts_, receive_offsets_;
};

}  // namespace ballast::fsdp
