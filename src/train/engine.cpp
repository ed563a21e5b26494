#include "train/engine.hpp"

#include <algorithm>
#include <cmath>

#include "optim/clip.hpp"

namespace ballast::train {

namespace {

std::vector<optim::Group> decay_groups(const fsdp::ShardLayout& layout) {
  std::vector<optim::Group> groups;
  for (const auto& segment : layout.segments()) {
    const auto& parameter = layout.table().parameters()[segment.parameter];
    groups.push_back(
        {segment.local_offset, segment.logical_numel, parameter.decay == model::Decay::yes});
  }
  return groups;
}

optim::AdamWConfig adamw_config(const OptimConfig& config) {
  return {config.beta1, config.beta2, config.epsilon, config.weight_decay};
}

/// Labels a step would have if none were ignored: what gradients are scaled by until the exact
/// count is known.
double nominal_labels(const DataConfig& data) {
  return static_cast<double>(data.global_batch * data.seq_len);
}

}  // namespace

Engine::Engine(const Config& config, comm::Communicator& world, const data::Dataset& dataset)
    : config_{&config},
      world_{&world},
      dataset_{&dataset},
      gemm_{kernels::make_gemm(kernels::default_gemm_library())},
      model_{config.model,
             {config.data.micro_batch, config.data.seq_len},
             model::Mode::training,
             *gemm_,
             arena_},
      layout_{model_.table(), static_cast<std::size_t>(world.rank()),
              static_cast<std::size_t>(world.size())},
      parameters_{layout_, world, fsdp::Purpose::training, config.data.leaf_micro_batches, arena_},
      moment1_{arena_.reserve<float>(MemoryClass::optimizer, layout_.local_numel())},
      moment2_{arena_.reserve<float>(MemoryClass::optimizer, layout_.local_numel())},
      adamw_{adamw_config(config.optim), decay_groups(layout_)},
      sampler_{config.run.seed, dataset.windows(data::Split::train, config.data.seq_len)},
      loader_{dataset, model_.shape()},
      program_{model::training_program(config.model)} {
  arena_.commit();
}

void Engine::initialise() {
  parameters_.initialise(config_->run.seed);
  std::ranges::fill(arena_.view(moment1_), 0.0f);
  std::ranges::fill(arena_.view(moment2_), 0.0f);
}

checkpoint::ShardTensors Engine::tensors() const {
  return {parameters_.weights(), arena_.view(moment1_), arena_.view(moment2_)};
}

StepResult Engine::step(checkpoint::TrainingState& state, double lr, bool stop_requested) {
  StepSums sums;
  sums.stop_requests = stop_requested ? 1 : 0;
  run_leaves(state.cursor, sums);
  add_squared_gradient(parameters_, sums.squared_gradient);
  sums.merge_over(*world_);

  // Gradients were scaled by the nominal count; the exact one is known only now.
  const double weight = sums.loss.weight.value();
  const double correction = weight > 0.0 ? nominal_labels(config_->data) / weight : 0.0;
  const bool finite =
      sums.squared_gradient.nonfinite() == 0 && sums.loss.weighted_nll.nonfinite() == 0;
  StepResult result{
      .loss = finite ? sums.loss.mean() : std::nan(""),
      .grad_norm = finite ? std::sqrt(sums.squared_gradient.value()) * correction : std::nan(""),
      .labels = sums.loss.labels,
      .update = finite ? Update::applied : Update::skipped,
      .stop_requests = sums.stop_requests,
  };
  state.step += 1;
  state.cursor += config_->data.global_batch;
  state.tokens += static_cast<std::uint64_t>(sums.loss.labels);
  if (finite) {
    state.optimizer_steps += 1;
    apply(state, lr, correction * optim::clip_factor(result.grad_norm, config_->optim.clip));
  }
  parameters_.weights_changed();
  return result;
}

void Engine::run_leaves(std::uint64_t cursor, StepSums& sums) {
  const auto scale = static_cast<float>(1.0 / nominal_labels(config_->data));
  const auto ranks = static_cast<std::size_t>(world_->size());
  const std::size_t leaves = config_->data.leaves();
  for (std::size_t first = 0; first < leaves; first += ranks) {
    parameters_.begin_wave({std::min(ranks, leaves - first),
                            first == 0 ? kernels::Store::overwrite : kernels::Store::add});
    const std::size_t leaf = first + static_cast<std::size_t>(world_->rank());
    for (std::size_t micro = 0; micro < config_->data.leaf_micro_batches; ++micro) {
      parameters_.begin_micro_batch(micro);
      if (leaf >= leaves) {
        parameters_.walk(program_);
        continue;
      }
      const std::uint64_t sample =
          cursor + leaf * config_->data.leaf_sequences() + micro * config_->data.micro_batch;
      const auto& batch = loader_.load_training(sampler_, sample);
      sums.loss.merge(model_.forward_backward(batch, parameters_, scale));
    }
  }
}

void Engine::apply(const checkpoint::TrainingState& state, double lr, double gradient_factor) {
  adamw_.update(state.optimizer_steps, lr, gradient_factor,
                {
                    .gradient = parameters_.accumulators(),
                    .weight = parameters_.weights(),
                    .moment1 = arena_.view(moment1_),
                    .moment2 = arena_.view(moment2_),
                });
}

EvalResult Engine::evaluate() {
  return validate(*world_, *dataset_, model_, parameters_, loader_,
                  model::evaluation_program(config_->model));
}

}  // namespace ballast::train
