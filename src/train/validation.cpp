#include "train/validation.hpp"

#include <cmath>
#include <numbers>
#include <span>
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

/// Calls `work(piece, micro_batch, nll)` for each piece of this rank. A rank without a piece calls
/// `idle()` and walks the program.
template <class Work, class Idle>
void pass_forward(const comm::Communicator& world, ModelInJob& model, const Pieces& pieces,
                  Work&& work, Idle&& idle) {
  model.require_weights();
  std::vector<float> nll(model.transformer().shape().tokens());
  auto& parameters = model.parameters();
  const auto& program = model.evaluation_program();
  deal(
      world, parameters, program, pieces,
      [&](std::size_t piece, std::size_t micro) { work(piece, micro, std::span{nll}); },
      [&] {
        idle();
        parameters.walk(program);
      });
}

}  // namespace

EvalResult validate(comm::Communicator& world, const data::Dataset& dataset, ModelInJob& model,
                    BatchLoader& loader) {
  const auto shape = model.transformer().shape();
  const std::size_t windows = dataset.windows(data::Split::validation, shape.seq_len);
  const std::size_t batches = (windows + shape.sequences - 1) / shape.sequences;
  model::LossSums sums = model.transformer().loss().no_sums();
  ExactSum total;
  std::int64_t bytes = 0;
  const auto measure = [&](std::size_t i, std::size_t, std::span<float> nll) {
    model::Batch batch = loader.load_validation(i * shape.sequences, windows);
    batch.weights = {};  // every byte of the held-out text counts alike
    sums.merge(model.transformer().forward(batch, model.parameters(), nll));
    for (const float value : nll) total.add(static_cast<double>(value));
    bytes += raw_bytes(batch, dataset.piece_bytes());
  };
  pass_forward(world, model, {batches}, measure, [] {});
  loader.agree_on_faults(world);
  comm::merge(world, {sums.exact_sums(), sums.label_count(), total, bytes}, {"validation"});
  const double nats = total.nonfinite() == 0 ? total.value() : std::nan("");
  EvalResult result{.loss = nats / static_cast<double>(sums.labels()),
                    .figures = sums.other_means()};
  if (bytes > 0) result.bits_per_byte = nats / (std::numbers::ln2 * static_cast<double>(bytes));
  return result;
}

void measure(const comm::Communicator& world, ModelInJob& model, const Pieces& pieces,
             const LoadPiece& load, const TakeLosses& take) {
  const auto measure_one = [&](std::size_t piece, std::size_t, std::span<float> nll) {
    const model::Batch& batch = load(piece);
    (void)model.transformer().forward(batch, model.parameters(), nll);
    take(piece, batch, nll);
  };
  pass_forward(world, model, pieces, measure_one, [] {});
}

model::LossSums show(const comm::Communicator& world, ModelInJob& model, const Pieces& pieces,
                     StepObserver& observer, const LoadShown& load) {
  auto& transformer = model.transformer();
  model::LossSums sums = transformer.loss().no_sums();
  transformer.observe(&observer);
  const auto show_one = [&](std::size_t piece, std::size_t micro, std::span<float> nll) {
    const auto& [first, batch] = load(piece, micro);
    observer.before_micro_batch(first, batch);
    sums.merge(transformer.forward(batch, model.parameters(), nll));
  };
  pass_forward(world, model, pieces, show_one, [&] { observer.without_micro_batch(); });
  transformer.observe(nullptr);
  return sums;
}

}  // namespace ballast::train
