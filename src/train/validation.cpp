#include "train/validation.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "comm/merge.hpp"

namespace ballast::train {

namespace {

std::int64_t raw_bytes(const model::Batch& batch, std::span<const std::uint16_t> piece_bytes) {
  std::int64_t bytes = 0;
  for (const std::int32_t label : batch.labels) {
    if (label != data::kIgnore) bytes += piece_bytes[static_cast<std::size_t>(label)];
  }
  return bytes;
}

/// Batch i of `batches` goes to rank i mod N; a rank without one walks the same program.
template <class Visit>
void deal_batches(const comm::Communicator& world, fsdp::ShardedParameters& parameters,
                  const model::StepProgram& program, std::size_t batches, Visit&& visit) {
  const auto ranks = static_cast<std::size_t>(world.size());
  for (std::size_t first = 0; first < batches; first += ranks) {
    const std::size_t own = first + static_cast<std::size_t>(world.rank());
    parameters.begin_micro_batch(0, program);
    if (own < batches) {
      visit(own);
    } else {
      parameters.walk(program);
    }
  }
}

}  // namespace

EvalResult validate(comm::Communicator& world, const data::Dataset& dataset,
                    model::Transformer& model, fsdp::ShardedParameters& parameters,
                    BatchLoader& loader, const model::StepProgram& program) {
  const auto shape = model.shape();
  const std::size_t windows = dataset.windows(data::Split::validation, shape.seq_len);
  const std::size_t batches = (windows + shape.sequences - 1) / shape.sequences;
  std::vector<float> nll(shape.tokens());
  model::LossSums sums = model.loss().no_sums();
  ExactSum total;
  std::int64_t bytes = 0;
  deal_batches(world, parameters, program, batches, [&](std::size_t own) {
    model::Batch batch = loader.load_validation(own * shape.sequences, windows);
    batch.weights = {};  // every byte of the held-out text counts alike
    sums.merge(model.forward(batch, parameters, nll));
    for (const float value : nll) total.add(static_cast<double>(value));
    bytes += raw_bytes(batch, dataset.piece_bytes());
  });
  loader.agree_on_faults(world);
  comm::merge(world, {sums.exact_sums(), sums.label_count(), total, bytes}, {"validation"});
  const double nats = total.nonfinite() == 0 ? total.value() : std::nan("");
  return {nats / static_cast<double>(sums.labels()),
          nats / (std::numbers::ln2 * static_cast<double>(bytes)), sums.other_means()};
}

void show_batches(comm::Communicator& world, model::Transformer& model,
                  fsdp::ShardedParameters& parameters, const model::StepProgram& program,
                  std::size_t batches, const LoadBatch& load, StepObserver& observer) {
  const auto shape = model.shape();
  std::vector<float> nll(shape.tokens());
  model.observe(&observer);
  deal_batches(world, parameters, program, batches, [&](std::size_t own) {
    const model::Batch& batch = load(own * shape.sequences);
    observer.before_micro_batch(own * shape.sequences, batch);
    (void)model.forward(batch, parameters, nll);
  });
  model.observe(nullptr);
}

}  // namespace ballast::train
