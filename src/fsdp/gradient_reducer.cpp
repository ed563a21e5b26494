#include "fsdp/gradient_reducer.hpp"

#include <algorithm>

#include "kernels/elementwise.hpp"

namespace ballast::fsdp {

namespace {

/// A slab is at most this many granules (1 MiB) from each rank.
constexpr std::size_t kSlabGranules = 256;

}  // namespace

GradientReducer::GradientReducer(const ShardLayout& layout, comm::Communicator& world, Arena& arena)
    : layout_{&layout},
      world_{&world},
      arena_{&arena},
      received_{arena.reserve<float>(
          MemoryClass::transient,
          layout.world_size() == 1 ? 0 : layout.world_size() * kSlabGranules * kGranule)},
      send_counts_(layout.world_size()),
      send_offsets_(layout.world_size()),
      receive_counts_(layout.world_size()),
      receive_offsets_(layout.world_size()) {
  for (std::size_t rank = 0; rank < layout.world_size(); ++rank) {
    receive_offsets_[rank] = rank * kSlabGranules * kGranule * sizeof(float);
  }
}

GranuleRange GradientReducer::slab_range(model::UnitId unit, std::size_t rank,
                                         std::size_t slab) const {
  const GranuleRange shard = layout_->range(unit, rank);
  const std::size_t first = std::min(slab * kSlabGranules, shard.count);
  return {shard.first + first, std::min(kSlabGranules, shard.count - first)};
}

void GradientReducer::reduce(model::UnitId unit, const Wave& wave, std::span<const float> gradient,
                             std::span<float> accumulator) {
  const std::size_t slabs = (layout_->largest_shard(unit) + kSlabGranules - 1) / kSlabGranules;
  for (std::size_t slab = 0; slab < slabs; ++slab) {
    exchange(unit, wave, slab, gradient);
    const GranuleRange own = slab_range(unit, layout_->rank(), slab);
    const std::size_t done = own.first - layout_->own_range(unit).first;
    const auto own_gradient =
        gradient.empty() ? gradient : gradient.subspan(own.first_element(), own.numel());
    fold(wave, own_gradient, accumulator.subspan(done * kGranule, own.numel()));
  }
}

void GradientReducer::exchange(model::UnitId unit, const Wave& wave, std::size_t slab,
                               std::span<const float> gradient) {
  if (layout_->world_size() == 1) return;
  const std::size_t self = layout_->rank();
  const std::size_t own_bytes = slab_range(unit, self, slab).numel() * sizeof(float);
  for (std::size_t rank = 0; rank < layout_->world_size(); ++rank) {
    const GranuleRange theirs = slab_range(unit, rank, slab);
    const bool sends = self < wave.contributors && rank != self;
    const bool brings = rank < wave.contributors && rank != self;
    send_counts_[rank] = sends ? theirs.numel() * sizeof(float) : 0;
    send_offsets_[rank] = sends ? theirs.first_element() * sizeof(float) : 0;
    receive_counts_[rank] = brings ? own_bytes : 0;
  }
  world_->all_to_all(std::as_bytes(gradient), {send_counts_, send_offsets_},
                     std::as_writable_bytes(arena_->view(received_)),
                     {receive_counts_, receive_offsets_},
                     {"gradient reduction", layout_->table().unit(unit).name});
}

void GradientReducer::fold(const Wave& wave, std::span<const float> own,
                           std::span<float> accumulator) const {
  const auto received = arena_->view(received_);
  for (std::size_t leaf = 0; leaf < wave.contributors; ++leaf) {
    const std::span<const float> slice =
        leaf == layout_->rank()
            ? own
            : received.subspan(leaf * kSlabGranules * kGranule, accumulator.size());
    if (leaf == 0 && wave.store == kernels::Store::overwrite) {
      std::ranges::copy(slice, accumulator.begin());
    } else {
      kernels::accumulate(slice, accumulator);
    }
  }
}

}  // namespace ballast::fsdp
