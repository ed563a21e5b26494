#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "fsdp/sharded_parameters.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/operations.hpp"
#include "model/transformer.hpp"
#include "train/plan/job.hpp"
#include "train/plan/optimizer_state.hpp"

namespace ballast::train {

/// What a Workspace is built from: a model, the batches it takes, and how it is sharded over ranks.
struct Blueprint {
  model::ModelConfig model;
  model::BatchShape shape;
  model::TransformerOptions options;
  fsdp::Policy policy;
  fsdp::Mesh mesh;
  fsdp::Transports transports;
  kernels::GemmTable gemm_table = kernels::GemmTable::shipped();
  Profile* profile = nullptr;  ///< records spans; must outlive what is built
  Team* team = nullptr;        ///< shares the work; must outlive what is built
};

/// The blueprint of a training.
[[nodiscard]] Blueprint make_blueprint(const Job& job, Profile* profile = nullptr,
                                       Team* team = nullptr);
/// The blueprint of a model beside it: with the job's sharding, transports and gemm table.
[[nodiscard]] Blueprint make_blueprint(const Job& job, const ReadOnlyModel& model,
                                       Profile* profile = nullptr, Team* team = nullptr);
/// The blueprint of the only model of a job, which evaluates it.
[[nodiscard]] Blueprint make_blueprint(const ReadOnlyModel& model, const Ranks& ranks,
                                       Profile* profile = nullptr, Team* team = nullptr);

/// Memory of the model that gradients may reuse (fsdp::Accumulators): none if a rank has several
/// leaves a step, since their sums outlive the next forward.
[[nodiscard]] std::vector<Arena::Extent> reusable_by_gradients(const Blueprint& blueprint,
                                                               const model::Transformer& model);

/// The model and the optimizer of one rank, reserved in arenas that are not committed yet. An
/// fsdp::Connection commits them; a memory plan only counts them. Needs no MPI.
class Workspace {
 public:
  /// For one rank.
  Workspace(const Blueprint& blueprint, std::size_t rank);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  [[nodiscard]] const fsdp::Policy& policy() const { return policy_; }
  [[nodiscard]] const fsdp::Mesh& mesh() const { return mesh_; }
  [[nodiscard]] const kernels::Gemm& gemm() const { return *gemm_; }
  [[nodiscard]] fsdp::Needs& needs() { return needs_; }
  [[nodiscard]] const fsdp::Needs& needs() const { return needs_; }
  [[nodiscard]] model::Transformer& model() { return model_; }
  [[nodiscard]] const model::Transformer& model() const { return model_; }
  [[nodiscard]] const fsdp::ShardLayout& layout() const { return layout_; }
  [[nodiscard]] fsdp::ShardedParameters& parameters() { return parameters_; }
  [[nodiscard]] const fsdp::ShardedParameters& parameters() const { return parameters_; }
  [[nodiscard]] const OptimizerState& optimizer() const { return optimizer_; }

  /// This rank's shards, as checkpoints read and write them.
  [[nodiscard]] checkpoint::ShardTensors tensors() const;

 private:
  fsdp::Policy policy_;
  fsdp::Mesh mesh_;
  std::unique_ptr<kernels::Gemm> gemm_;
  std::unique_ptr<kernels::Operations> operations_;
  fsdp::Needs needs_;
  model::Transformer model_;
  fsdp::ShardLayout layout_;
  fsdp::ShardedParameters parameters_;
  OptimizerState optimizer_;
};

}  // namespace ballast::train
