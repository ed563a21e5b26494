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

/// The life of one model in a job: its memory is mapped, it meets the other ranks, and it gets its
/// weights. What is then done with it, a training's steps or an evaluation, is another's business.
/// A job may have several, each with its own units, programs and memory.
class ModelInJob {
 public:
  /// Maps the memory of a blueprint and connects it to the ranks of `world`; there are no weights
  /// yet. `world` and what the blueprint refers to must outlive the model. The memory of all
  /// models of the job is to be planned before (require_memory). Collective.
  ModelInJob(comm::Communicator& world, const Blueprint& blueprint, std::size_t rank);

  /// Writes this rank's shards, as `tensors` shows them: without moments where nothing trains.
  using Fill = std::function<void(const checkpoint::ShardTensors& tensors)>;
  /// The model has weights once `fill` has returned on all ranks; where it throws, it has none, and
  /// whoever wants to compute with it gets an internal Error. Collective.
  void load(const Fill& fill);
  /// Opens a source of weights for a table, which outlives it.
  using OpenWeights =
      std::function<std::unique_ptr<model::WeightSource>(const model::ParameterTable& table)>;
  /// Weights from such a source, and moments of zero. Data Errors name file and tensor. Collective.
  void load_weights(comm::Communicator& world, const OpenWeights& open);
  /// Fresh weights, drawn by `seed`, and zero moments. Collective.
  void initialize(std::uint64_t seed);

  /// An internal Error before the first load, or after one that failed.
  void require_weights() const;

  [[nodiscard]] const Workspace& workspace() const { return workspace_; }
  [[nodiscard]] model::Transformer& transformer() { return workspace_.model(); }
  [[nodiscard]] fsdp::ShardedParameters& parameters() { return workspace_.parameters(); }
  [[nodiscard]] const fsdp::ShardLayout& layout() const { return workspace_.layout(); }
  [[nodiscard]] const OptimizerState& optimizer() const { return workspace_.optimizer(); }
  [[nodiscard]] checkpoint::ShardTensors tensors() const { return workspace_.tensors(); }
  [[nodiscard]] const kernels::Gemm& gemm() const { return workspace_.gemm(); }
  /// What a micro-batch of a training's step visits, and one of an evaluation.
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
