#pragma once

#include <cstddef>
#include <vector>

#include "support/world.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/plan_config.hpp"
#include "train/verdict.hpp"
#include "train/watch/step_observer.hpp"

namespace ballast::train {

inline constexpr double kLr = 1e-3;
inline constexpr std::size_t kSteps = 3;
inline constexpr std::size_t kLeaves = 5;  // the last wave is short on two, three and four ranks

inline Config student_config(fsdp::Backend backend) {
  Config config;
  config.model = {.dim = 36, .layers = 3, .heads = 6, .kv_heads = 2, .ffn = 101};
  config.data.seq_len = 24;
  config.data.micro_batch = 1;
  config.data.global_batch = kLeaves;
  config.parallel.backend = backend;
  config.parallel.prefetch_units = backend == fsdp::Backend::mpi ? 1 : 0;
  return config;
}

/// Another shape, and other element types.
inline Config teacher_config(fsdp::Backend backend) {
  Config config = student_config(backend);
  config.model = {.dim = 48, .layers = 4, .heads = 4, .kv_heads = 4, .ffn = 130};
  config.precision.param = ElementType::bf16;
  return config;
}

inline ReadOnlyModel teacher_of(const Config& config) {
  return {.name = "teacher",
          .model = test::model_on_bytes(config),
          .shape = {config.data.micro_batch, config.data.seq_len},
          .precision = {config.precision.param, config.precision.residual}};
}

/// Lets another model see each micro-batch before the one that trains does.
class Teacher final : public StepObserver {
 public:
  explicit Teacher(ModelInJob& model)
      : model_{&model},
        nll_(model.transformer().shape().tokens()),
        sums_{.loss = model.transformer().loss().no_sums()} {}

  void before_micro_batch(std::uint64_t, const model::Batch& batch) override {
    model_->parameters().begin_micro_batch(0, model_->evaluation_program());
    sums_.loss.merge(model_->transformer().forward(batch, model_->parameters(), nll_));
  }
  void without_micro_batch() override {
    model_->parameters().begin_micro_batch(0, model_->evaluation_program());
    model_->parameters().walk(model_->evaluation_program());
  }
  void before_blocks(std::span<const float>) override {}
  void after_block(std::size_t, std::span<const float>, const model::AttentionSignals&) override {}
  void add_gradient(std::size_t, std::span<float>) override {}

  /// Over the job. Collective.
  [[nodiscard]] double total_loss() {
    sums_.merge_over(test::world());
    return sums_.loss.mean();
  }

 private:
  ModelInJob* model_;
  std::vector<float> nll_;
  StepSums sums_;
};

}  // namespace ballast::train
