#include "train/forward_on_text.hpp"

#include <algorithm>

#include "train/leaves.hpp"
#include "train/verdict.hpp"

namespace ballast::train {

ForwardOnText::ForwardOnText(const Job& job, comm::Communicator& world,
                             const data::Dataset& dataset, ModelInJob& model, Profile* profile)
    : data_{&job.config.data},
      world_{&world},
      dataset_{&dataset},
      model_{&model},
      profile_{profile},
      sampler_{job.config.run.seed, dataset.windows(data::Split::train, data_->seq_len)},
      loader_{dataset, model.transformer().shape()} {}

EvalResult ForwardOnText::evaluate() {
  const ProfileSpan span{profile_, Region::evaluation};
  return validate(*world_, *dataset_, *model_, loader_);
}

double ForwardOnText::show_next(const checkpoint::TrainingState& state, StepObserver& observer) {
  const ProfileSpan span{profile_, Region::evaluation};
  model_->groups().set_step(state.step + 1);
  const auto load = [&](std::size_t leaf, std::size_t micro) {
    const ProfileSpan load_span{profile_, Region::data_loading};
    const std::uint64_t sample = sample_of(*data_, state.cursor, leaf, micro);
    return Shown{sample, loader_.load_training(sampler_, sample)};
  };
  StepSums sums{.loss = show(*world_, *model_, leaves_of(*data_), observer, load)};
  loader_.agree_on_faults(*world_);
  sums.merge_over(*world_);
  return state.loss_scaler.scale * sums.loss.weight() / nominal_labels(*data_);
}

void ForwardOnText::show_held_out(std::size_t batches, StepObserver& observer) {
  const ProfileSpan span{profile_, Region::evaluation};
  const auto shape = model_->transformer().shape();
  const std::size_t windows = dataset_->windows(data::Split::validation, shape.seq_len);
  const std::size_t all = (windows + shape.sequences - 1) / shape.sequences;
  const auto load = [&](std::size_t batch, std::size_t) {
    const std::size_t first = batch * shape.sequences;
    return Shown{first, loader_.load_validation(first, windows)};
  };
  (void)show(*world_, *model_, {std::min(batches, all)}, observer, load);
  loader_.agree_on_faults(*world_);
}

void ForwardOnText::show_training(std::size_t batches, StepObserver& observer) {
  const ProfileSpan span{profile_, Region::evaluation};
  const std::size_t sequences = model_->transformer().shape().sequences;
  const auto load = [&](std::size_t batch, std::size_t) {
    const std::size_t first = batch * sequences;
    return Shown{first, loader_.load_training(sampler_, first)};
  };
  (void)show(*world_, *model_, {batches}, observer, load);
  loader_.agree_on_faults(*world_);
}

}  // namespace ballast::train
