#include <fmt/format.h>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "base/text.hpp"
#include "checkpoint/check.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/checkpoint_weights.hpp"
#include "comm/agree.hpp"
#include "train/plan/memory_plan.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/plan/ranks.hpp"
#include "train/settings/identity.hpp"
#include "train/trainer.hpp"
#include "train/validation.hpp"

namespace ballast::train {

namespace {

/// The dataset to evaluate on, after checking that its tokens mean the same.
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

/// The model as it was trained, ready to be read only.
Blueprint evaluation_blueprint(const Identity& identity, const model::ModelConfig& config,
                               model::BatchShape shape, const fsdp::Topology& topology,
                               Team& team) {
  const model::Precision precision = precision_of(identity);
  const fsdp::Policy policy{.compute = precision.compute, .purpose = fsdp::Purpose::evaluation};
  const fsdp::Mesh mesh = fsdp::make_mesh(policy, topology.ranks());
  return {.model = config,
          .shape = shape,
          .options = {.mode = model::Mode::evaluation,
                      .precision = precision,
                      .workers = team.workers()},
          .policy = policy,
          .mesh = mesh,
          .transports = fsdp::choose_transports(policy, mesh, topology),
          .team = &team};
}

/// Rank 0 looks for the checkpoint, all ranks read it. A training that goes on may delete the
/// newest one meanwhile: then there is a newer one. Collective.
checkpoint::Checked check_newest(comm::Communicator& world, const std::filesystem::path& path) {
  for (;;) {
    std::string found;
    comm::agree(world, "checkpoint", [&] {
      if (world.is_root()) found = checkpoint::find_checkpoint(path).string();
    });
    const std::filesystem::path folder = world.broadcast_text(found, 0, {"checkpoint"});
    auto result = checkpoint::look_at(world, folder);
    if (result.checked) return std::move(*result.checked);
    std::error_code ignored;
    const bool is_there = std::filesystem::exists(folder / checkpoint::kManifestName, ignored);
    const bool is_gone = world.max(is_there ? 1 : 0, {"checkpoint"}) == 0;
    if (!is_gone || folder == path) throw data_error("{}", result.damage);
  }
}

/// Collective.
void load_weights(comm::Communicator& world, const checkpoint::Checked& checkpoint,
                  const fsdp::ShardLayout& layout, const optim::MasterWeights& masters) {
  std::optional<checkpoint::CheckpointWeights> weights;
  comm::agree(world, "checkpoint tensors", [&] { weights.emplace(layout.table(), checkpoint); });
  checkpoint::load_weights(world, layout, *weights, masters);
}

}  // namespace

ExitCode evaluate(comm::Communicator& world, const EvalOptions& options) {
  world.set_timeout_s(options.timeout_s);
  const auto checkpoint = check_newest(world, options.checkpoint);
  const auto& manifest = checkpoint.manifest;
  std::optional<data::Dataset> dataset;
  std::optional<model::ModelConfig> config;
  model::BatchShape shape;
  comm::agree(world, "data", [&] {
    dataset.emplace(open_dataset(options, manifest.identity));
    config = model_of(manifest);
    shape = {number_of(manifest.identity, "data.micro_batch"),
             number_of(manifest.identity, "data.seq_len")};
    (void)dataset->windows(data::Split::validation, shape.seq_len);
  });

  const Ranks ranks = settle_ranks(world, ParallelConfig{});
  Team team{ranks.crew};
  const Blueprint blueprint =
      evaluation_blueprint(manifest.identity, *config, shape, ranks.topology, team);
  (void)require_memory(world, blueprint, ranks);
  ModelInJob model{world, blueprint, ranks.rank};
  model.load([&](const checkpoint::ShardTensors& tensors) {
    load_weights(world, checkpoint, model.layout(), tensors.master);
  });

  BatchLoader loader{*dataset, shape};
  const EvalResult result = validate(world, *dataset, model, loader);
  if (world.is_root()) {
    fmt::print("checkpoint {} (step {})\n", checkpoint.folder.string(), manifest.state.step);
    fmt::print("held out: loss {:.6f} nats/token, {:.4f} bits/byte\n", result.loss,
               result.bits_per_byte);
  }
  return ExitCode::ok;
}

}  // namespace ballast::train
