#include "train/offline/evaluate.hpp"

#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "train/offline/as_trained.hpp"
#include "train/offline/loaded_model.hpp"
#include "train/settings/identity.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

namespace {

/// The dataset to evaluate on, after checking that its tokens mean the same.
data::Dataset open_dataset(const EvalOptions& options, const SavedModel& saved) {
  std::filesystem::path path = options.data;
  if (path.empty() && saved.checkpoint() != nullptr) {
    path = text_of(saved.checkpoint()->manifest.identity, "data.path");
  }
  if (path.empty()) {
    throw usage_error("--data is needed: {} does not say what it was trained on",
                      saved.path().string());
  }
  data::Dataset dataset{path};
  require_same_tokens(saved, dataset);
  return dataset;
}

}  // namespace

Evaluation evaluate(comm::Communicator& world, const EvalOptions& options) {
  world.set_timeout_s(options.timeout_s);
  const SavedModel saved = find_saved_model(world, options.checkpoint);
  std::optional<data::Dataset> dataset;
  ReadOnlyModel read_only;
  comm::agree(world, "data", [&] {
    dataset.emplace(open_dataset(options, saved));
    read_only = {.model = saved.model(),
                 .shape = shape_as_trained(saved, options.seq_len, options.micro_batch),
                 .precision = precision_as_trained(saved, options.param)};
    (void)dataset->windows(data::Split::validation, read_only.shape.seq_len);
  });

  LoadedModel model{world, saved, read_only};
  BatchLoader loader{*dataset, read_only.shape};
  return {saved.path(), saved.step(), validate(world, *dataset, model.in_job(), loader)};
}

}  // namespace ballast::train
