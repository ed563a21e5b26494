#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "fsdp/gradient_reducer.hpp"
#include "fsdp/shard_layout.hpp"
#include "model/parameter_source.hpp"
#include "model/step_program.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

enum class Purpose { training, evaluation };

/// The parameters of a model, sharded over the ranks of a communicator (ZeRO stage 3). Each rank
/// keeps its shard of the weights and of the gradient accumulators; a unit is gathered when it is
/// acquired and its memory goes to the next one after release. All ranks must acquire the same
/// units in the same order: the order of the model's step program.
///
/// Memory per rank, for P parameters on N ranks: weights 4·P/N and accumulators 4·P/N bytes, plus
/// one gathered block, one gathered root unit, and a gradient room for each.
class ShardedParameters final : public model::ParameterSource {
 public:
  /// Reserves in `arena`, to be committed before use. `leaf_micro_batches` > 1 adds up a leaf's
  /// gradients on the rank first, which takes rooms for all units: 4·P bytes more.
  ShardedParameters(const ShardLayout& layout, comm::Communicator& world, Purpose purpose,
                    std::size_t leaf_micro_batches, Arena& arena);

  [[nodiscard]] const ShardLayout& layout() const { return *layout_; }

  /// This rank's flat shard of the weights; after writing to it call `weights_changed`.
  [[nodiscard]] std::span<float> weights() const { return arena_->view(weights_); }
  /// This rank's flat shard of the gradient, folded over the leaves so far.
  [[nodiscard]] std::span<float> accumulators() const { return arena_->view(accumulators_); }
  /// Whatever was gathered before is out of date now. Every rank calls it at the same point.
  void weights_changed() { ++version_; }

  /// The leaf that the next micro-batches belong to.
  void begin_wave(const Wave& wave) { wave_ = wave; }
  /// Micro-batch `index` (from 0) of the leaf follows.
  void begin_micro_batch(std::size_t index) { micro_batch_ = index; }
  /// Takes part in a micro-batch that this rank has no work in: gathers and reductions only.
  void walk(const model::StepProgram& program);

  std::span<const float> acquire(model::UnitId unit) override;
  void release(model::UnitId unit) override;
  model::GradientRoom gradient_room(model::UnitId unit) override;
  void gradient_ready(model::UnitId unit) override;

  /// Writes the initial values of this rank's shard: no rank ever holds the whole model.
  void initialise(std::uint64_t seed);

 private:
  /// A room that holds one gathered unit at a time.
  struct GatherRoom {
    Arena::Slot<float> slot;
    model::UnitId unit = 0;
    std::uint64_t version = 0;  ///< 0: nothing gathered yet
    std::size_t leases = 0;
  };

  [[nodiscard]] GatherRoom& room_of(model::UnitId unit) {
    return unit == model::kRootUnit ? root_room_ : block_room_;
  }
  [[nodiscard]] std::span<float> unit_part(Arena::Slot<float> slot, model::UnitId unit) const;
  [[nodiscard]] std::span<float> gradient_values(model::UnitId unit) const;
  void gather(model::UnitId unit, std::span<float> full);
  void reduce(model::UnitId unit, std::span<const float> gradient);

  const ShardLayout* layout_;
  comm::Communicator* world_;
  const Arena* arena_;
  std::size_t leaf_micro_batches_;

  Arena::Slot<float> weights_;
  Arena::Slot<float> accumulators_;
  GatherRoom root_room_;
  GatherRoom block_room_;
  std::vector<Arena::Slot<float>> gradient_rooms_;  ///< by unit; blocks share one where they can
  GradientReducer reducer_;

  std::uint64_t version_ = 1;
  Wave wave_{1, kernels::Store::overwrite};
  std::size_t micro_batch_ = 0;
  std::vector<std::size_t> gather_counts_, gather_offsets_;
};

}  // namespace ballast::fsdp
