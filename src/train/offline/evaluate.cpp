#include "train/offline/evaluate.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "comm/agree.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/plan/ranks.hpp"
#include "train/settings/identity.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

namespace {

/// The windows of a model that does not say how it was trained.
constexpr std::size_t kForeignSeqLen = 1024;

/// The dataset to evaluate on, after checking that its tokens mean the same.
data::Dataset open_dataset(const EvalOptions& options, const SavedModel& saved) {
  const checkpoint::Checked* const own = saved.checkpoint();
  const bool has_data = own != nullptr && !text_of(own->manifest.identity, "data.path").empty();
  if (!has_data && options.data.empty()) {
    throw usage_error("--data is needed: {} does not say what it was trained on",
                      saved.folder().string());
  }
  data::Dataset dataset{options.data.empty()
                            ? std::filesystem::path{text_of(own->manifest.identity, "data.path")}
                            : options.data};
  (void)vocabulary_of(saved.model(), dataset.info().vocabulary);
  if (own == nullptr) return dataset;
  const Identity& identity = own->manifest.identity;
  const auto& trained_with = text_of(identity, "data.tokenizer_hash");
  const bool is_known = !trained_with.empty();  // an imported one may not say
  if (is_known && dataset.info().tokenizer_hash != trained_with) {
    throw data_error("{}: its tokenizer ({} {}) is not the one of the checkpoint ({} {})",
                     dataset.path().string(), dataset.info().tokenizer,
                     dataset.info().tokenizer_hash, text_of(identity, "data.tokenizer"),
                     trained_with);
  }
  return dataset;
}

/// As asked for, or as it was trained.
model::BatchShape shape_for(const EvalOptions& options, const SavedModel& saved) {
  model::BatchShape shape{1, kForeignSeqLen};
  if (saved.checkpoint() != nullptr) {
    const Identity& identity = saved.checkpoint()->manifest.identity;
    shape = {number_of(identity, "data.micro_batch"), number_of(identity, "data.seq_len")};
  } else if (saved.model().context != 0) {
    shape.seq_len = std::min(shape.seq_len, saved.model().context);
  }
  shape = {options.micro_batch.value_or(shape.sequences), options.seq_len.value_or(shape.seq_len)};
  saved.model().require_context(shape.seq_len, "--seq-len");
  return shape;
}

model::Precision precision_for(const EvalOptions& options, const SavedModel& saved) {
  if (!options.param) return saved.precision();
  return {*options.param, saved.precision().residual};
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
                 .shape = shape_for(options, saved),
                 .precision = precision_for(options, saved)};
    (void)dataset->windows(data::Split::validation, read_only.shape.seq_len);
  });

  const Ranks ranks = settle_ranks(world, ParallelConfig{});
  Team team{ranks.thread_plan};
  const Blueprint blueprint = make_blueprint(read_only, ranks, nullptr, &team);
  (void)require_memory(world, blueprint, ranks);
  ModelInJob model{world, blueprint, ranks.rank};
  model.load_weights(world, [&](const auto& table) { return saved.open(table); });

  BatchLoader loader{*dataset, read_only.shape};
  return {saved.folder(), saved.step(), validate(world, *dataset, model, loader)};
}

}  // namespace ballast::train
