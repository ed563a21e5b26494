#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"
#include "fsdp/sharded_parameters.hpp"
#include "kernels/gemm.hpp"
#include "model/transformer.hpp"
#include "optim/adamw.hpp"
#include "tensor/arena.hpp"
#include "train/batch_loader.hpp"
#include "train/config.hpp"
#include "train/validation.hpp"
#include "train/verdict.hpp"

namespace ballast::train {

/// What became of a step's gradient.
enum class Update { applied, skipped };

struct StepResult {
  double loss = 0.0;       ///< mean over the labels of the global batch, before the update
  double grad_norm = 0.0;  ///< unscaled, before clipping
  std::int64_t labels = 0;
  Update update = Update::applied;
  std::int64_t stop_requests = 0;
};

/// A sharded model in training: memory, parameters, optimiser and the course of one step. The
/// result of a step depends on the configuration and the state alone, not on the number of ranks.
class Engine {
 public:
  /// `dataset` and `world` must outlive the engine. Collective.
  Engine(const Config& config, comm::Communicator& world, const data::Dataset& dataset);

  /// Fresh weights, zero moments.
  void initialise();
  /// To be called after the shards were filled from outside, as a resume does.
  void weights_loaded() { parameters_.weights_changed(); }

  /// One step: samples from `state.cursor` on, update number state.optimizer_steps + 1. Advances
  /// `state`. Collective.
  StepResult step(checkpoint::TrainingState& state, double lr, bool stop_requested);

  /// Loss over the whole validation split. Collective.
  EvalResult evaluate();

  [[nodiscard]] const fsdp::ShardLayout& layout() const { return layout_; }
  [[nodiscard]] checkpoint::ShardTensors tensors() const;
  [[nodiscard]] const Arena& arena() const { return arena_; }
  [[nodiscard]] const kernels::Gemm& gemm() const { return *gemm_; }

 private:
  void run_leaves(std::uint64_t cursor, StepSums& sums);
  void apply(const checkpoint::TrainingState& state, double lr, double gradient_factor);

  const Config* config_;
  comm::Communicator* world_;
  const data::Dataset* dataset_;
  std::unique_ptr<kernels::Gemm> gemm_;
  Arena arena_;
  model::Transformer model_;
  fsdp::ShardLayout layout_;
  fsdp::ShardedParameters parameters_;
  Arena::Slot<float> moment1_, moment2_;
  optim::AdamW adamw_;
  data::Sampler sampler_;
  BatchLoader loader_;
  model::StepProgram program_;
};

}  // namespace ballast::train
