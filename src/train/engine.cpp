#include "train/engine.hpp"

#include <cmath>

#include "optim/clip.hpp"
#include "train/leaves.hpp"
#include "train/watch/standing_observers.hpp"

namespace ballast::train {

namespace {

/// Bytes that an update moves per parameter: it reads the gradient, and reads and writes weight and
/// moments.
constexpr std::size_t kUpdateBytes = 28;

}  // namespace

Engine::Engine(const Job& job, comm::Communicator& world, const data::Dataset& dataset,
               ModelInJob& model, Team& team, Profile* profile)
    : config_{&job.config},
      world_{&world},
      model_{&model},
      team_{&team},
      profile_{profile},
      adamw_{config_->optim.adamw, &team},
      scaler_{config_->precision.scaler},
      sampler_{config_->run.seed, dataset.windows(data::Split::train, config_->data.seq_len)},
      loader_{dataset, model.transformer().shape()},
      observers_{standing_observers(*config_, model.layout())} {}

checkpoint::TrainingState Engine::initial_state() const {
  checkpoint::TrainingState state;
  state.seed = config_->run.seed;
  if (config_->precision.scales_loss()) state.loss_scaler = scaler_.start();
  return state;
}

StepResult Engine::step(checkpoint::TrainingState& state, double lr, const Requests& requests,
                        std::initializer_list<StepObserver*> observers) {
  const ProfileSpan step_span{profile_, Region::step, {}, numbered(state.step + 1)};
  model_->require_weights();
  model_->groups().set_step(state.step + 1);
  observers_.set_for_step(observers);
  const StepSums sums = sum_up(state, requests);
  if (sums.data_faults > 0) give_up_step();

  // Gradients were scaled by the nominal count and the loss scale; the exact count is known only
  // now.
  const double weight = sums.loss.weight();
  const double correction =
      weight > 0.0 ? nominal_labels(config_->data) / (weight * state.loss_scaler.scale) : 0.0;
  StepResult result = judge(sums, state, correction);
  state.step += 1;
  state.cursor += config_->data.global_batch;
  state.tokens += static_cast<std::uint64_t>(result.loss.labels());
  model_->parameters().begin_version();
  if (result.was_skipped()) {
    model_->parameters().publish_trained();
  } else {
    state.optimizer_steps += 1;
    observers_.before_update(*world_);
    apply(state, lr, correction * optim::clip_factor(result.grad_norm, config_->optim.clip));
  }
  adapt_loss_scale(state, result);
  return result;
}

/// Computes the gradient, and the sums that all ranks share.
StepSums Engine::sum_up(const checkpoint::TrainingState& state, const Requests& requests) {
  StepSums sums{.loss = model_->transformer().loss().no_sums()};
  sums.stops.add(requests.stop);
  sums.save_requests = requests.save ? 1 : 0;
  forward_fault_.reset();
  model_->parameters().begin_step();
  observers_.begin_step();
  model_->transformer().observe(observers_.of_blocks());
  run_leaves(state, sums);
  model_->transformer().observe(nullptr);
  add_gradient_norm(sums);
  merge(sums);
  return sums;
}

void Engine::run_leaves(const checkpoint::TrainingState& state, StepSums& sums) {
  const auto scale = static_cast<float>(state.loss_scaler.scale / nominal_labels(config_->data));
  auto& parameters = model_->parameters();
  const auto& program = model_->training_program();
  deal(
      *world_, parameters, program, leaves_of(config_->data),
      [&](std::size_t leaf, std::size_t micro) {
        run_micro_batch(leaf, sample_of(config_->data, state.cursor, leaf, micro), scale, sums);
      },
      [&] {
        observers_.without_micro_batch();
        parameters.walk(program);
      });
  parameters.finish_gradients();
}

const model::Batch& Engine::load(std::uint64_t sample) {
  const ProfileSpan span{profile_, Region::data_loading};
  return loader_.load_training(sampler_, sample);
}

void Engine::run_micro_batch(std::size_t leaf, std::uint64_t sample, float scale, StepSums& sums) {
  const auto& batch = load(sample);
  observers_.before_micro_batch(sample, batch);
  auto& model = model_->transformer();
  const auto loss = model.forward_backward(batch, model_->parameters(), scale);
  sums.loss.merge(loss);
  if (loss.is_finite() || forward_fault_) return;
  if (const auto place = model.find_nonfinite()) forward_fault_ = {leaf, *place};
}

void Engine::add_gradient_norm(StepSums& sums) {
  const auto& layout = model_->layout();
  const std::size_t granules = layout.owned_trained_granules(layout.rank());
  const ProfileSpan span{profile_, Region::gradient_norm,
                         moves(granules * kGranule * sizeof(float))};
  add_squared_gradient(model_->parameters(), sums.squared_gradient, team_);
}

void Engine::merge(StepSums& sums) {
  const ProfileSpan span{profile_, Region::verdict};
  sums.data_faults = loader_.has_fault() ? 1 : 0;
  sums.merge_over(*world_);
}

/// Ends a step in which some rank could not read its samples: throws on all ranks; weights and
/// state do not change.
void Engine::give_up_step() {
  model_->parameters().begin_version();
  model_->parameters().publish_trained();
  loader_.agree_on_faults(*world_);
}

/// `correction`: the factor from the gradient as it was summed up to that of the mean loss.
StepResult Engine::judge(const StepSums& sums, const checkpoint::TrainingState& state,
                         double correction) {
  const bool is_finite = sums.squared_gradient.nonfinite() == 0 && sums.loss.is_finite();
  StepResult result{
      .loss = sums.loss,
      .grad_norm = is_finite ? std::sqrt(sums.squared_gradient.value()) * correction : std::nan(""),
      .loss_scale = state.loss_scaler.scale,
      .skip_reason = {},
      .stop = sums.stops.cause(),
      .is_save_due = sums.save_requests > 0,
  };
  if (!is_finite) {
    result.skip_reason = name_first_fault(*world_, model_->layout().table(), forward_fault_,
                                          model_->parameters().offender());
  }
  return result;
}

void Engine::apply(const checkpoint::TrainingState& state, double lr, double gradient_factor) {
  auto& parameters = model_->parameters();
  const auto& layout = model_->layout();
  const auto& optimizer = model_->optimizer();
  for (model::UnitId unit = 0; unit < layout.table().units().size(); ++unit) {
    if (!layout.trains(unit)) continue;
    const auto part = [&](std::span<float> all) {
      return all.subspan(layout.held_offset(unit), layout.held(unit).numel());
    };
    const ProfileSpan span{profile_, Region::optimizer,
                           moves(layout.held(unit).numel() * kUpdateBytes), numbered(unit)};
    const auto master = optimizer.master(parameters, unit);
    adamw_.update(state.optimizer_steps, lr, gradient_factor, optimizer.groups(unit),
                  {
                      .gradient = parameters.accumulators().held(unit),
                      .master = master,
                      .moment1 = part(optimizer.moment1()),
                      .moment2 = part(optimizer.moment2()),
                      .partials = observers_.room_for_update(unit),
                  });
    observers_.after_unit(unit, master);
    parameters.publish(unit);
  }
}

void Engine::adapt_loss_scale(checkpoint::TrainingState& state, const StepResult& result) const {
  if (!config_->precision.scales_loss()) return;
  if (result.was_skipped()) {
    (void)scaler_.overflow(state.loss_scaler);
  } else {
    scaler_.finite(state.loss_scaler);
  }
}

}  // namespace ballast::train
