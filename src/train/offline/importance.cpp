#include "train/offline/importance.hpp"

#include <algorithm>

#include "base/checked_cast.hpp"
#include "comm/agree.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"
#include "train/batch_loader.hpp"
#include "train/offline/as_trained.hpp"
#include "train/offline/input_squares.hpp"
#include "train/offline/loaded_model.hpp"
#include "train/start/agreement.hpp"
#include "train/validation.hpp"

namespace ballast::train {

namespace {

constexpr std::uint64_t kSeed = 0;  ///< of the order in which windows are drawn

/// A dataset, and how much of it passes through the model: window by window, so that sums do not
/// depend on how many pass through it together.
struct TextToRead {
  std::optional<data::Dataset> dataset;
  model::BatchShape shape{};
  std::size_t all_windows = 0;
  std::size_t windows = 0;
};

TextToRead open_text(comm::Communicator& world, const SavedModel& saved,
                     const CalibrationText& text) {
  TextToRead read;
  comm::agree(world, "calibration data", [&] {
    read.dataset.emplace(text.data);
    require_same_tokens(saved, *read.dataset);
    read.shape = shape_as_trained(saved, std::nullopt, 1);
    read.all_windows = read.dataset->windows(data::Split::train, read.shape.seq_len);
    const std::size_t usual = (kCalibrationTokens + read.shape.seq_len - 1) / read.shape.seq_len;
    read.windows = std::min(text.windows.value_or(usual), read.all_windows);
  });
  require_same_dataset(world, *read.dataset);
  return read;
}

}  // namespace

MeasuredImportance measure_importance(comm::Communicator& world, const SavedModel& saved,
                                      const CalibrationText& text) {
  const TextToRead read = open_text(world, saved, text);
  LoadedModel model{world,
                    saved,
                    {.model = saved.model(),
                     .shape = read.shape,
                     .precision = precision_as_trained(saved, std::nullopt)}};
  auto& transformer = model.in_job().transformer();
  BatchLoader loader{*read.dataset, read.shape};
  const data::Sampler sampler{kSeed, read.all_windows};
  InputSquares squares{world, transformer.table()};
  transformer.observe_linears(&squares);
  const auto ranks = checked_cast<std::size_t>(world.size());
  for (std::size_t first = 0; first < read.windows; first += ranks) {
    const std::size_t count = std::min(ranks, read.windows - first);
    measure(
        world, model.in_job(), {count},
        [&](std::size_t rank) -> const model::Batch& {
          return loader.load_training(sampler, first + rank);
        },
        [](std::size_t, const model::Batch&, std::span<const float>) {});
    loader.agree_on_faults(world);
    squares.add_wave(world, count);
  }
  transformer.observe_linears(nullptr);
  return {squares.means(world, read.windows * read.shape.seq_len), read.windows,
          read.shape.seq_len};
}

}  // namespace ballast::train
