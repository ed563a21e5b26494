#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fsdp/sharded_parameters.hpp"
#include "optim/adamw.hpp"
#include "optim/master_weights.hpp"
#include "tensor/arena.hpp"

namespace ballast::train {

/// AdamW's state for the part of a rank's shard that trains: both moments, and the part of the
/// master weights that the model's own weights lack. That is nothing in fp32, the lower half of the
/// split master in bf16 (so that weights and moments take 12 bytes a parameter), and the whole
/// master in fp16.
class OptimizerState {
 public:
  OptimizerState(const fsdp::ShardLayout& layout, const fsdp::Policy& policy, Arena& arena);

  [[nodiscard]] std::span<float> moment1() const { return arena_->view(moment1_); }
  [[nodiscard]] std::span<float> moment2() const { return arena_->view(moment2_); }

  /// The master weights of one unit's run, and of the whole shard.
  [[nodiscard]] optim::MasterSlice master(const fsdp::ShardedParameters& parameters,
                                          model::UnitId unit) const;
  [[nodiscard]] optim::MasterWeights masters(const fsdp::ShardedParameters& parameters) const;

  /// The elements of a unit's run without padding, grouped by weight decay; offsets within the run.
  [[nodiscard]] std::span<const optim::Group> groups(model::UnitId unit) const {
    return groups_.at(unit);
  }

 private:
  const fsdp::ShardLayout* layout_;
  const Arena* arena_;
  Arena::Slot<float> moment1_{}, moment2_{};
  Arena::Slot<std::int16_t> low_{};
  Arena::Slot<float> full_{};
  std::vector<std::vector<optim::Group>> groups_;  ///< by unit
};

}  // namespace ballast::train
