#include <fmt/format.h>
#include <optional>

#include "base/narrow.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "comm/agree.hpp"
#include "fsdp/connection.hpp"
#include "train/binding.hpp"
#include "train/identity.hpp"
#include "train/trainer.hpp"
#include "train/validation.hpp"
#include "train/workspace.hpp"

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
                               model::BatchShape shape, Team& team) {
  const model::Precision precision = precision_of(identity);
  return {config,
          shape,
          {.mode = model::Mode::evaluation, .precision = precision, .team = &team},
          {.compute = precision.compute, .purpose = fsdp::Purpose::evaluation},
          1,
          kernels::GemmTable::shipped(),
          nullptr,
          &team};
}

}  // namespace

ExitCode evaluate(comm::Communicator& world, const EvalOptions& options) {
  world.set_timeout_s(options.timeout_s);
  const auto folder = comm::agree_on<std::filesystem::path>(
      world, "checkpoint", [&] { return checkpoint::find_checkpoint(options.checkpoint); });
  const auto manifest = comm::agree_on<checkpoint::Manifest>(
      world, "checkpoint", [&] { return checkpoint::Manifest::read(folder); });
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

  const fsdp::Topology topology = fsdp::discover_topology(world);
  const auto rank = narrow<std::size_t>(world.rank());
  const auto processors_of = gather_processors(world);
  ParallelConfig parallel;
  settle_threads(parallel, topology, processors_of);
  Team team{crew_of(parallel, topology, processors_of, rank)};
  Workspace workspace{evaluation_blueprint(manifest.identity, *config, shape, team), topology,
                      rank};
  const fsdp::Connection connection{world, workspace.policy(), workspace.transports(),
                                    workspace.memory(), workspace.parameters()};
  auto& parameters = workspace.parameters();
  parameters.begin_version();
  checkpoint::load(world, workspace.layout(), folder, workspace.tensors());
  parameters.publish_all();

  BatchLoader loader{*dataset, shape};
  const EvalResult result = validate(world, *dataset, workspace.model(), parameters, loader,
                                     model::evaluation_program(workspace.model().table()));
  if (world.is_root()) {
    fmt::print("checkpoint {} (step {})\n", folder.string(), manifest.state.step);
    fmt::print("held out: loss {:.6f} nats/token, {:.4f} bits/byte\n", result.loss,
               result.bits_per_byte);
  }
  return ExitCode::ok;
}

}  // namespace ballast::train
