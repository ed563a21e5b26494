#include "train/engine.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/narrow.hpp"
#include "model/initialise.hpp"
#include "optim/clip.hpp"

namespace ballast::train {

namespace {

/// Labels a step would have if none were ignored: what gradients are scaled by until the exact
/// count is known.
double nominal_labels(const DataConfig& data) {
  return static_cast<double>(data.global_batch * data.seq_len);
}

/// Weights that are drawn at a time (1 MiB), however large their tensor is.
constexpr std::size_t kInitialisedGranules = 256;

/// What an update reads and writes a parameter: the gradient once, weight and moments both ways.
constexpr std::size_t kUpdateBytes = 28;

}  // namespace

Engine::Engine(const Job& job, comm::Communicator& world, const data::Dataset& dataset,
               Profile* profile)
    : config_{&job.config},
      world_{&world},
      dataset_{&dataset},
      profile_{profile},
      plan_{require_memory(world, job)},
      team_{job.ranks.crew},
      workspace_{make_blueprint(job, profile, &team_), job.ranks.rank},
      connection_{world, workspace_.policy(), workspace_.transports(), workspace_.memory(),
                  workspace_.parameters()},
      adamw_{config_->optim.adamw, &team_},
      scaler_{config_->precision.scaler},
      sampler_{config_->run.seed, dataset.windows(data::Split::train, config_->data.seq_len)},
      loader_{dataset, workspace_.model().shape()},
      program_{model::training_program(workspace_.model().table())},
      evaluation_program_{model::evaluation_program(workspace_.model().table())} {
  if (config_->experimental.qk_clip > 0.0) {
    qk_clip_.emplace(config_->experimental.qk_clip, layout());
    observe(nullptr);
  }
}

void Engine::initialise() {
  const auto& table = layout().table();
  const auto masters = workspace_.optimizer().masters(workspace_.parameters());
  std::vector<float> values(kInitialisedGranules * kGranule);
  begin_load();
  for (const auto& segment : layout().held_segments()) {
    for (std::size_t done = 0; done < segment.granules.count; done += kInitialisedGranules) {
      const GranuleRange piece{segment.granules.first + done,
                               std::min(kInitialisedGranules, segment.granules.count - done)};
      const auto part = std::span{values}.first(piece.numel());
      model::initialise(table.parameters()[segment.parameter], segment.parameter, config_->run.seed,
                        piece, part);
      masters.write(segment.local_offset + done * kGranule, part);
    }
  }
  std::ranges::fill(workspace_.optimizer().moment1(), 0.0f);
  std::ranges::fill(workspace_.optimizer().moment2(), 0.0f);
  finish_load();
}

checkpoint::TrainingState Engine::initial_state() const {
  checkpoint::TrainingState state;
  state.seed = config_->run.seed;
  if (config_->precision.scales_loss()) {
    const optim::LossScalerState start = scaler_.start();
    state.loss_scale = start.scale;
    state.scale_tolerance = start.tolerance;
  }
  return state;
}

StepResult Engine::step(checkpoint::TrainingState& state, double lr, Requests requests) {
  const ProfileSpan step_span{profile_, Region::step, {}, numbered(state.step + 1)};
  auto& parameters = workspace_.parameters();
  connection_.groups().set_step(state.step + 1);
  forward_fault_.reset();
  parameters.begin_step();
  StepSums sums{.loss = workspace_.model().loss().no_sums()};
  sums.stops.add(requests.stop);
  sums.save_requests = requests.save ? 1 : 0;
  if (qk_clip_) qk_clip_->begin();
  workspace_.model().observe(observer_);
  run_leaves(state, sums);
  workspace_.model().observe(nullptr);
  {
    const ProfileSpan span{
        profile_, Region::gradient_norm,
        moves(layout().owned_trained_granules(layout().rank()) * kGranule * sizeof(float))};
    add_squared_gradient(parameters, sums.squared_gradient, &team_);
  }
  {
    const ProfileSpan span{profile_, Region::verdict};
    sums.data_faults = loader_.has_fault() ? 1 : 0;
    sums.merge_over(*world_);
  }
  if (sums.data_faults > 0) give_up_step();

  // Gradients were scaled by the nominal count and the loss scale; the exact count is known only
  // now.
  const double weight = sums.loss.weight();
  const double correction =
      weight > 0.0 ? nominal_labels(config_->data) / (weight * state.loss_scale) : 0.0;
  const bool finite = sums.squared_gradient.nonfinite() == 0 && sums.loss.is_finite();
  StepResult result{
      .loss = sums.loss,
      .grad_norm = finite ? std::sqrt(sums.squared_gradient.value()) * correction : std::nan(""),
      .update = finite ? Update::applied : Update::skipped,
      .loss_scale = state.loss_scale,
      .skip_reason = {},
      .stop = sums.stops.cause(),
      .is_save_due = sums.save_requests > 0,
  };
  if (!finite) {
    result.skip_reason =
        name_first_fault(*world_, layout().table(), forward_fault_, parameters.offender());
  }
  state.step += 1;
  state.cursor += config_->data.global_batch;
  state.tokens += static_cast<std::uint64_t>(sums.loss.labels());
  parameters.begin_version();
  if (finite) {
    state.optimizer_steps += 1;
    if (qk_clip_) qk_clip_->agree(*world_);
    apply(state, lr, correction * optim::clip_factor(result.grad_norm, config_->optim.clip));
  } else {
    parameters.publish_trained();
  }
  adapt_loss_scale(state, result.update);
  return result;
}

/// Some rank could not read its samples: weights and state stay as they are, on all ranks.
void Engine::give_up_step() {
  workspace_.parameters().begin_version();
  workspace_.parameters().publish_trained();
  loader_.agree_on_faults(*world_);
}

void Engine::run_leaves(const checkpoint::TrainingState& state, StepSums& sums) {
  const auto scale = static_cast<float>(state.loss_scale / nominal_labels(config_->data));
  const auto ranks = narrow<std::size_t>(world_->size());
  const std::size_t leaves = config_->data.leaves();
  auto& parameters = workspace_.parameters();
  for (std::size_t first = 0; first < leaves; first += ranks) {
    parameters.begin_wave({std::min(ranks, leaves - first),
                           first == 0 ? kernels::Store::overwrite : kernels::Store::add, first});
    const std::size_t leaf = first + narrow<std::size_t>(world_->rank());
    for (std::size_t micro = 0; micro < config_->data.leaf_micro_batches; ++micro) {
      parameters.begin_micro_batch(micro, program_);
      if (leaf >= leaves) {
        parameters.walk(program_);
        continue;
      }
      run_micro_batch(leaf, sample_of(state, leaf, micro), scale, sums);
    }
  }
  parameters.finish_gradients();
}

std::uint64_t Engine::sample_of(const checkpoint::TrainingState& state, std::size_t leaf,
                                std::size_t micro) const {
  return state.cursor + leaf * config_->data.leaf_sequences() + micro * config_->data.micro_batch;
}

const model::Batch& Engine::load(std::uint64_t sample) {
  const ProfileSpan span{profile_, Region::data_loading};
  return loader_.load_training(sampler_, sample);
}

void Engine::run_micro_batch(std::size_t leaf, std::uint64_t sample, float scale, StepSums& sums) {
  const auto& batch = load(sample);
  if (observer_ != nullptr) observer_->before_micro_batch(sample, batch);
  auto& model = workspace_.model();
  const auto loss = model.forward_backward(batch, workspace_.parameters(), scale);
  sums.loss.merge(loss);
  if (loss.is_finite() || forward_fault_) return;
  if (const auto place = model.find_nonfinite()) forward_fault_ = {leaf, *place};
}

void Engine::apply(const checkpoint::TrainingState& state, double lr, double gradient_factor) {
  auto& parameters = workspace_.parameters();
  const auto& optimizer = workspace_.optimizer();
  for (model::UnitId unit = 0; unit < layout().table().units().size(); ++unit) {
    if (!layout().trains(unit)) continue;
    const auto part = [&](std::span<float> all) {
      return all.subspan(layout().held_offset(unit), layout().held(unit).numel());
    };
    const ProfileSpan span{profile_, Region::optimizer,
                           moves(layout().held(unit).numel() * kUpdateBytes), numbered(unit)};
    adamw_.update(state.optimizer_steps, lr, gradient_factor, optimizer.groups(unit),
                  {
                      .gradient = parameters.accumulators().held(unit),
                      .master = optimizer.master(parameters, unit),
                      .moment1 = part(optimizer.moment1()),
                      .moment2 = part(optimizer.moment2()),
                      .partials = observer_ == nullptr ? std::span<kernels::AdamWPartials>{}
                                                       : observer_->room_for_update(unit),
                  });
    if (qk_clip_) qk_clip_->scale(unit, optimizer.master(parameters, unit));
    parameters.publish(unit);
  }
}

void Engine::adapt_loss_scale(checkpoint::TrainingState& state, Update update) const {
  if (!config_->precision.scales_loss()) return;
  optim::LossScalerState scaling{state.loss_scale, state.scale_good_steps, state.scale_tolerance};
  if (update == Update::applied) {
    scaler_.finite(scaling);
  } else {
    (void)scaler_.overflow(scaling);
  }
  state.loss_scale = scaling.scale;
  state.scale_good_steps = scaling.good_steps;
  state.scale_tolerance = scaling.tolerance;
}

void Engine::observe(StepObserver* observer) {
  observer_ = observer;
  if (!qk_clip_) return;
  observers_.set(observer, &*qk_clip_);
  observer_ = &observers_;
}

EvalResult Engine::evaluate() {
  const ProfileSpan span{profile_, Region::evaluation};
  return validate(*world_, *dataset_, workspace_.model(), workspace_.parameters(), loader_,
                  evaluation_program_);
}

void Engine::show_held_out(std::size_t batches, StepObserver& observer) {
  const ProfileSpan span{profile_, Region::evaluation};
  const auto shape = workspace_.model().shape();
  const std::size_t windows = dataset_->windows(data::Split::validation, shape.seq_len);
  const std::size_t all = (windows + shape.sequences - 1) / shape.sequences;
  const auto load = [&](std::size_t first) -> const model::Batch& {
    return loader_.load_validation(first, windows);
  };
  show_batches(*world_, workspace_.model(), workspace_.parameters(), evaluation_program_,
               std::min(batches, all), load, observer);
  loader_.agree_on_faults(*world_);
}

void Engine::show_training(std::size_t batches, StepObserver& observer) {
  const ProfileSpan span{profile_, Region::evaluation};
  const auto load = [&](std::size_t first) -> const model::Batch& {
    return loader_.load_training(sampler_, first);
  };
  show_batches(*world_, workspace_.model(), workspace_.parameters(), evaluation_program_, batches,
               load, observer);
  loader_.agree_on_faults(*world_);
}

double Engine::show_next(const checkpoint::TrainingState& state, StepObserver& observer) {
  const ProfileSpan span{profile_, Region::evaluation};
  connection_.groups().set_step(state.step + 1);
  auto& parameters = workspace_.parameters();
  auto& model = workspace_.model();
  std::vector<float> nll(model.shape().tokens());
  StepSums sums{.loss = model.loss().no_sums()};
  model.observe(&observer);
  const auto ranks = narrow<std::size_t>(world_->size());
  for (std::size_t first = 0; first < config_->data.leaves(); first += ranks) {
    const std::size_t leaf = first + narrow<std::size_t>(world_->rank());
    for (std::size_t micro = 0; micro < config_->data.leaf_micro_batches; ++micro) {
      parameters.begin_micro_batch(0, evaluation_program_);
      if (leaf >= config_->data.leaves()) {
        parameters.walk(evaluation_program_);
        continue;
      }
      const std::uint64_t sample = sample_of(state, leaf, micro);
      const auto& batch = load(sample);
      observer.before_micro_batch(sample, batch);
      sums.loss.merge(model.forward(batch, parameters, nll));
    }
  }
  model.observe(nullptr);
  loader_.agree_on_faults(*world_);
  sums.merge_over(*world_);
  return state.loss_scale * sums.loss.weight() / nominal_labels(config_->data);
}

}  // namespace ballast::train
