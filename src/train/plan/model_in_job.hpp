#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "checkpoint/checkpoint.hpp"
#include "comm/communicator.hpp"
#include "fsdp/connection.hpp"
#include "model/step_program.hpp"
#include "model/weight_source.hpp"
#include "train/plan/workspace.hpp"

namespace ballast::train {

/// One model in a job: its memory, its connection to the other ranks, and its weights. Training
/// steps and evaluations use it. A job may have several models, each with its own units, programs
/// and memory.
class ModelInJob {
 public:
  /// Maps the memory of a blueprint and connects it to the ranks of `world`; there are no weights
  /// yet. `world` and what the blueprint refers to must outlive the model. Call require_memory
  /// first, for all models of the job. Collective.
  ModelInJob(comm::Communicator& world, const Blueprint& blueprint, std::size_t rank);

  /// Writes this rank's shards to `tensors`, which have no moments if nothing trains.
  using Fill = std::function<void(const checkpoint::ShardTensors& tensors)>;
  /// Gives the model its weights: it has them once `fill` has returned on all ranks. If `fill`
  /// throws, it has none, and computing with it is an internal Error. Collective.
  void load(const Fill& fill);
  /// Opens a source of weights for a table, which outlives it.
  using OpenWeights =
      std::function<std::unique_ptr<model::WeightSource>(const model::ParameterTable& table)>;
  /// Weights from such a source, and moments of zero. Data Errors name file and tensor. Collective.
  void load_weights(comm::Communicator& world, const OpenWeights& open);
  /// Fresh weights, drawn by `seed`, and zero moments. Collective.
  void initialize(std::uint64_t seed);

  /// Throws an internal Error before the first load, or after one that failed.
  void require_weights() const;

  [[nodiscard]] const Workspace& workspace() const { return workspace_; }
  [[nodiscard]] model::Transformer& transformer() { return workspace_.model(); }
  [[nodiscard]] fsdp::ShardedParameters& parameters() { return workspace_.parameters(); }
  [[nodiscard]] const fsdp::ShardLayout& layout() const { return workspace_.layout(); }
  [[nodiscard]] const OptimizerState& optimizer() const { return workspace_.optimizer(); }
  [[nodiscard]] checkpoint::ShardTensors tensors() const { return workspace_.tensors(); }
  [[nodiscard]] const kernels::Gemm& gemm() const { return workspace_.gemm(); }
  /// The step programs of a micro-batch in training, and in evaluation.
  [[nodiscard]] const model::StepProgram& training_program() const { return training_program_; }
  [[nodiscard]] const model::StepProgram& evaluation_program() const { return evaluation_program_; }
  [[nodiscard]] fsdp::Groups& groups() { return connection_.groups(); }

 private:
  Workspace workspace_;
  fsdp::Connection connection_;
  model::StepProgram training_program_;
  model::StepProgram evaluation_program_;
  bool has_weights_ = false;
};

}  // namespace ballast::train
