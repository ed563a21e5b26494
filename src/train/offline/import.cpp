#include "train/offline/import.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/load_weights.hpp"
#include "comm/agree.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "storage/work_folder.hpp"
#include "train/offline/import_facts.hpp"
#include "train/offline/new_output.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/ranks.hpp"
#include "train/start/fingerprint.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

SavedModel find_foreign(comm::Communicator& world, const fs::path& path) {
  SavedModel saved = find_saved_model(world, path);
  if (saved.foreign() == nullptr) {
    throw usage_error("'{}' is a checkpoint of Ballast's: use it as it is", path.string());
  }
  return saved;
}

/// Weights and moments of a rank, in fp32.
class Shards {
 public:
  explicit Shards(const fsdp::ShardLayout& layout)
      : master_(layout.local_numel()),
        moment1_(layout.trained_numel()),
        moment2_(layout.trained_numel()) {}

  [[nodiscard]] checkpoint::ShardTensors tensors() {
    return {std::span{master_}, moment1_, moment2_};
  }

 private:
  std::vector<float> master_, moment1_, moment2_;
};

/// The state of a training before its first step.
checkpoint::SaveRequest request_for(const SavedModel& saved, const fs::path& run_dir,
                                    const ImportedTokenizer& tokenizer) {
  const Config defaults;
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  return {.run_dir = run_dir,
          .state = {.step = 0, .seed = defaults.run.seed},
          .identity = imported_identity(*saved.foreign(), tokenizer),
          .numerics = numerics_fingerprint(*gemm),
          .gemm_table = kernels::GemmTable::shipped().rules_text(),
          .tokenizer_model = tokenizer.model,
          .settings = imported_settings(*saved.foreign())};
}

void require_finite(comm::Communicator& world, const fsdp::ShardLayout& layout, Shards& shards,
                    const fs::path& path) {
  const std::string bad = checkpoint::find_nonfinite(world, layout, shards.tensors());
  if (!bad.empty()) {
    throw data_error("'{}' holds no model to compute with: {}", path.string(), bad);
  }
}

}  // namespace

Imported import_model(comm::Communicator& world, const ImportOptions& options) {
  world.set_timeout_s(options.timeout_s);
  const fs::path output = without_trailing_slash(options.output);
  const auto on_root = [&](std::string_view what, const std::function<void()>& work) {
    comm::agree(world, what, [&] {
      if (world.is_root()) work();
    });
  };
  on_root("output", [&] { require_new(output); });
  const SavedModel saved = find_foreign(world, options.model);
  const model::ParameterTable table{saved.model()};
  const fsdp::ShardLayout layout{
      table, {1, checked_cast<std::size_t>(world.size())}, checked_cast<std::size_t>(world.rank())};
  const auto source = comm::agree_on<std::unique_ptr<model::WeightSource>>(
      world, "tensors of the model", [&] { return saved.open(table); });
  const Ranks ranks = settle_ranks(world, ParallelConfig{});
  comm::agree(world, "memory", [&] { require_fits(plan_shards(layout, ranks)); });

  Shards shards{layout};
  checkpoint::load_weights(world, layout, *source, shards.tensors().master);
  require_finite(world, layout, shards, saved.path());

  std::optional<storage::WorkFolder> work;  // rank 0's; goes away with what is not delivered
  ImportedTokenizer tokenizer;              // rank 0's, which writes the manifest
  fs::path run_dir;
  on_root("folder of the checkpoint", [&] {
    tokenizer = imported_tokenizer(*saved.foreign());
    work.emplace(output);
    run_dir = work->folder("run");
  });
  run_dir = world.broadcast_text(run_dir.string(), 0, {"folder of the checkpoint"});
  const auto made =
      checkpoint::save(world, layout, shards.tensors(), request_for(saved, run_dir, tokenizer));
  on_root("folder of the checkpoint", [&] {
    work->deliver(made.folder);
    work.reset();  // before any rank returns, so that nobody finds it
  });

  return {output, table.total_numel(), made.hash, tokenizer.note, saved.foreign()->ignored()};
}

}  // namespace ballast::train
