#include "train/start/training_data.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "comm/agree.hpp"
#include "data/reach.hpp"
#include "train/start/agreement.hpp"

namespace ballast::train {

namespace {

using data::Split;

/// A larger share of training tokens outside of all windows is worth a warning.
constexpr double kMuchUnreached = 0.05;

bool has_weighted_token(const data::Dataset& dataset) {
  if (!dataset.has_weights()) return true;
  if (dataset.info().weighted_tokens) return *dataset.info().weighted_tokens > 0;
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 18;
  std::vector<float> weights;
  const std::uint64_t tokens = dataset.token_count(Split::train);
  for (std::uint64_t first = 0; first < tokens; first += kPiece) {
    weights.resize(std::min(kPiece, tokens - first));
    dataset.read_weights(Split::train, first, weights);
    if (std::ranges::any_of(weights, [](float weight) { return weight > 0; })) return true;
  }
  return false;
}

std::string warn_of_unreached(const data::Dataset& dataset, std::size_t seq_len, double share) {
  const auto segments = dataset.segments(Split::train);
  const std::size_t shorter = data::shorter_windows(segments, seq_len, 1.0 - kMuchUnreached);
  const std::string help =
      shorter == 0 ? "prepare it again with --split tail, which cuts it once"
                   : fmt::format(
                         "a data.seq_len of {} reaches {:.1f}%, or prepare it again with "
                         "--split tail, which cuts it once",
                         shorter, 100.0 * data::reach_of(segments, shorter).share);
  return fmt::format(
      "warning: {:.1f}% of the training tokens lie in no window and are never trained on: '{}' is "
      "cut into {} segments by what is held out, and what is left of each after its last window of "
      "{} is dropped; {}",
      100.0 * (1.0 - share), dataset.path().string(), with_thousands(segments.size() - 1), seq_len,
      help);
}

}  // namespace

data::Dataset open_training_data(comm::Communicator& world, const Config& config) {
  auto dataset = comm::agree_on<data::Dataset>(world, "data.path",
                                               [&] { return data::Dataset{config.data.path}; });
  require_same_dataset(world, dataset);
  comm::agree(world, "data.path", [&] {
    (void)dataset.windows(Split::train, config.data.seq_len);
    if (config.eval_every != 0) (void)dataset.windows(Split::validation, config.data.seq_len);
    if (!has_weighted_token(dataset)) {
      throw data_error(
          "'{}' has no training token with a weight above 0, so there is nothing to learn: prepare "
          "it again from documents with weights",
          dataset.path().string());
    }
  });
  return dataset;
}

std::vector<std::string> describe_training_data(const Config& config,
                                                const data::Dataset& dataset) {
  const std::size_t seq_len = config.data.seq_len;
  const data::Reach reach = data::reach_of(dataset.segments(Split::train), seq_len);
  const std::uint64_t steps = config.last_step();
  const double epochs = static_cast<double>(steps) * static_cast<double>(config.data.global_batch) /
                        static_cast<double>(reach.windows);
  std::vector<std::string> lines{
      fmt::format("data: {} windows of {} tokens ({:.1f}% of {}), {:.2f} epochs in {} steps{}",
                  with_thousands(reach.windows), with_thousands(seq_len), 100.0 * reach.share,
                  with_thousands(dataset.token_count(Split::train)), epochs, with_thousands(steps),
                  config.data.global_batch > reach.windows ? "; each step repeats windows" : "")};
  if (1.0 - reach.share > kMuchUnreached) {
    lines.push_back(warn_of_unreached(dataset, seq_len, reach.share));
  }
  return lines;
}

}  // namespace ballast::train
