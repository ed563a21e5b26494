#include "train/offline/score.hpp"

#include <algorithm>
#include <numeric>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "comm/agree.hpp"
#include "data/tokenizers/token_ids.hpp"
#include "train/batch_loader.hpp"
#include "train/offline/as_trained.hpp"
#include "train/offline/loaded_model.hpp"
#include "train/offline/scored_text.hpp"
#include "train/validation.hpp"

namespace ballast::train {

namespace {

using Print = std::function<void(std::string_view line)>;

/// One text, as a batch of one sequence.
class OneText {
 public:
  explicit OneText(std::span<const std::int32_t> tokens)
      : tokens_{tokens.begin(), tokens.end()},
        segments_(tokens.size() - 1, 0),
        positions_(tokens.size() - 1) {
    std::iota(positions_.begin(), positions_.end(), 0);
    const std::size_t length = positions_.size();
    batch_ = {.shape = {1, length},
              .ids = std::span{tokens_}.first(length),
              .labels = std::span{tokens_}.last(length),
              .segments = segments_,
              .positions = positions_,
              .weights = {}};
  }
  OneText(const OneText&) = delete;
  OneText& operator=(const OneText&) = delete;

  [[nodiscard]] const model::Batch& batch() const { return batch_; }

 private:
  std::vector<std::int32_t> tokens_, segments_, positions_;
  model::Batch batch_;
};

/// Of all that is scored at a time, what is kept stays below 32 MiB a rank.
void require_top(const ScoreOptions& options, const SavedModel& saved, std::size_t tokens) {
  constexpr std::size_t kMost = std::size_t{1} << 22;
  const std::size_t vocabulary = saved.model().vocabulary;
  if (options.top > vocabulary) {
    throw usage_error("--top {} is more than the model's vocabulary of {}", options.top,
                      vocabulary);
  }
  if (options.top > 0 && tokens > kMost / options.top) {
    throw usage_error("--top {} of {} tokens at a time is more than {} in all: ask for fewer",
                      options.top, tokens, kMost);
  }
}

void print_on_root(comm::Communicator& world, const std::function<void()>& work) {
  comm::agree(world, "output", [&] {
    if (world.is_root()) work();
  });
}

ReadOnlyModel model_to_read(const ScoreOptions& options, const SavedModel& saved,
                            model::BatchShape shape) {
  return {.model = saved.model(),
          .shape = shape,
          .precision = precision_as_trained(saved, options.param)};
}

void score_tokens(comm::Communicator& world, const ScoreOptions& options, const SavedModel& saved,
                  std::span<const std::int32_t> tokens, const Print& print) {
  if (tokens.size() == 1) {
    const ScoredText text{.tokens = tokens, .nll = {}, .top = options.top, .likely = {}};
    return print_on_root(world, [&] { print(score_line(std::nullopt, text)); });
  }
  const OneText text{tokens};
  const model::BatchShape shape = text.batch().shape;
  ScoredWave wave{world, shape, options.top};
  LoadedModel model{world, saved, model_to_read(options, saved, shape)};
  model.in_job().transformer().observe_logits(&wave);
  measure(
      world, model.in_job(), {1}, [&](std::size_t) -> const model::Batch& { return text.batch(); },
      [&](std::size_t, const model::Batch& batch, std::span<const float> nll) {
        wave.take(batch, nll);
      });
  wave.gather(world, 1);
  print_on_root(world, [&] { print(wave.line(0, 0, std::nullopt)); });
}

/// Every window of a split, wave by wave: rank 0 prints one before the next is computed.
void score_windows(comm::Communicator& world, const ScoreOptions& options, const SavedModel& saved,
                   const data::Dataset& dataset, model::BatchShape shape, const Print& print) {
  ScoredWave wave{world, shape, options.top};
  LoadedModel model{world, saved, model_to_read(options, saved, shape)};
  BatchLoader loader{dataset, shape};
  model.in_job().transformer().observe_logits(&wave);
  const std::size_t windows = dataset.windows(options.split, shape.seq_len);
  const std::size_t batches = (windows + shape.sequences - 1) / shape.sequences;
  const auto ranks = checked_cast<std::size_t>(world.size());
  for (std::size_t first = 0; first < batches; first += ranks) {
    const std::size_t count = std::min(ranks, batches - first);
    measure(
        world, model.in_job(), {count},
        [&](std::size_t rank) -> const model::Batch& {
          return loader.load_in_order(options.split, (first + rank) * shape.sequences, windows);
        },
        [&](std::size_t, const model::Batch& batch, std::span<const float> nll) {
          wave.take(batch, nll);
        });
    loader.agree_on_faults(world);
    wave.gather(world, count);
    print_on_root(world, [&] {
      const std::size_t end = std::min(windows, (first + count) * shape.sequences);
      for (std::size_t window = first * shape.sequences; window < end; ++window) {
        const std::size_t rank = window / shape.sequences - first;
        print(wave.line(rank, window % shape.sequences, window));
      }
    });
  }
}

std::vector<std::int32_t> tokens_of(const ScoreOptions& options, const SavedModel& saved) {
  std::vector<std::int32_t> tokens = options.tokens;
  if (tokens.empty()) {
    const auto tokenizer = tokenizer_of(saved);
    if (!tokenizer) throw no_tokenizer(saved, "--tokens");
    tokens = tokenizer->encode_prompt(options.prompt);
  }
  data::require_token_ids(tokens, saved.model().vocabulary, "--tokens");
  if (tokens.size() > 1) saved.model().require_context(tokens.size() - 1, "the text's length");
  return tokens;
}

}  // namespace

void score(comm::Communicator& world, const ScoreOptions& options, const Print& print) {
  world.set_timeout_s(options.timeout_s);
  const SavedModel saved = find_saved_model(world, options.checkpoint);
  if (options.data.empty()) {
    const auto tokens = comm::agree_on<std::vector<std::int32_t>>(
        world, "tokens", [&] { return tokens_of(options, saved); });
    require_top(options, saved, tokens.size());
    return score_tokens(world, options, saved, tokens, print);
  }
  std::optional<data::Dataset> dataset;
  model::BatchShape shape;
  comm::agree(world, "data", [&] {
    dataset.emplace(options.data);
    require_same_tokens(saved, *dataset);
    shape = shape_as_trained(saved, options.seq_len, options.micro_batch);
    require_top(options, saved, shape.tokens());
    (void)dataset->windows(options.split, shape.seq_len);
  });
  score_windows(world, options, saved, *dataset, shape, print);
}

}  // namespace ballast::train
