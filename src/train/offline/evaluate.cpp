#include "train/offline/evaluate.hpp"

#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "base/text.hpp"
#include "checkpoint/check.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/agree.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/plan/ranks.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {

namespace {

/// Opens the dataset to evaluate on, and checks that it has the tokenizer of the checkpoint.
data::Dataset open_dataset(const EvalOptions& options, const Identity& identity) {
  data::Dataset dataset{options.data.empty() ? std::filesystem::path{text_of(identity, "data.path")}
                                             : options.data};
  const auto& trained_with = text_of(identity, "data.tokenizer_hash");
  if (dataset.info().tokenizer_hash != trained_with) {
    throw data_error("{}: its tokenizer ({} {}) is not the one of the checkpoint ({} {})",
                     dataset.path().string(), dataset.info().tokenizer,
                     dataset.info().tokenizer_hash, text_of(identity, "data.tokenizer"),
                     trained_with);
  }
  return dataset;
}

/// Rank 0 finds the checkpoint, all ranks check it. A running training may delete it meanwhile;
/// then the search is repeated and finds a newer one. Collective.
checkpoint::Checked check_newest(comm::Communicator& world, const std::filesystem::path& path) {
  for (;;) {
    std::string found;
    comm::agree(world, "checkpoint", [&] {
      if (world.is_root()) found = checkpoint::find_checkpoint(path).string();
    });
    const std::filesystem::path folder = world.broadcast_text(found, 0, {"checkpoint"});
    auto result = checkpoint::try_check(world, folder);
    if (result.checked) return std::move(*result.checked);
    std::error_code ignored;
    const bool is_there = std::filesystem::exists(folder / checkpoint::kManifestName, ignored);
    const bool is_gone = world.max(is_there ? 1 : 0, {"checkpoint"}) == 0;
    if (!is_gone || folder == path) throw data_error("{}", result.damage);
  }
}

}  // namespace

Evaluation evaluate(comm::Communicator& world, const EvalOptions& options) {
  world.set_timeout_s(options.timeout_s);
  const auto checkpoint = check_newest(world, options.checkpoint);
  const auto& manifest = checkpoint.manifest;
  std::optional<data::Dataset> dataset;
  ReadOnlyModel read_only;
  comm::agree(world, "data", [&] {
    dataset.emplace(open_dataset(options, manifest.identity));
    read_only = {.model = model_of(manifest),
                 .shape = {number_of(manifest.identity, "data.micro_batch"),
                           number_of(manifest.identity, "data.seq_len")},
                 .precision = precision_of(manifest.identity)};
    (void)dataset->windows(data::Split::validation, read_only.shape.seq_len);
  });

  const Ranks ranks = settle_ranks(world, ParallelConfig{});
  Team team{ranks.thread_plan};
  const Blueprint blueprint = make_blueprint(read_only, ranks, nullptr, &team);
  (void)require_memory(world, blueprint, ranks);
  ModelInJob model{world, blueprint, ranks.rank};
  model.load_weights(world, checkpoint);

  BatchLoader loader{*dataset, read_only.shape};
  return {checkpoint.folder, manifest.state.step, validate(world, *dataset, model, loader)};
}

}  // namespace ballast::train
