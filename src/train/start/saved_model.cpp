#include "train/start/saved_model.hpp"

#include <optional>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "checkpoint/checkpoint_weights.hpp"
#include "checkpoint/folders.hpp"
#include "comm/agree.hpp"
#include "comm/same.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "formats/safetensors/safetensors_folder.hpp"
#include "storage/files.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {

namespace {

constexpr const char* kConfigName = "config.json";

/// Rank 0 looks for the checkpoint, all ranks read it.
checkpoint::Checked check_newest(comm::Communicator& world, const std::filesystem::path& path) {
  for (;;) {
    std::string found;
    comm::agree(world, "checkpoint", [&] {
      if (world.is_root()) found = checkpoint::find_checkpoint(path).string();
    });
    const std::filesystem::path folder = world.broadcast_text(found, 0, {"checkpoint"});
    auto result = checkpoint::try_check(world, folder);
    if (result.checked) return std::move(*result.checked);
    const bool gone_for_all = world.max(is_gone(folder) ? 0 : 1, {"checkpoint"}) == 0;
    if (!gone_for_all || folder == path) throw data_error("{}", result.damage);
  }
}

checkpoint::Checked check_newest_alone(const std::filesystem::path& path) {
  for (;;) {
    const auto folder = checkpoint::find_checkpoint(path);
    try {
      return checkpoint::check_alone(folder);
    } catch (const Error&) {
      if (!is_gone(folder) || folder == path) throw;
    }
  }
}

/// Each rank reads its shards on its own host, which may have another model under that name.
void require_same_weights(comm::Communicator& world, const std::filesystem::path& folder) {
  comm::Facts facts;
  comm::agree(world, "weights of a folder", [&] {
    const std::string hash = formats::SafetensorsFolder{folder}.sample().hex();
    facts.push_back({"weights", hash, std::filesystem::absolute(folder).string()});
  });
  comm::require_same(world, facts, ExitCode::data, "give every host the same folder");
}

/// Rank 0 reads config.json, so that all ranks build one model.
ForeignFolder read_foreign(comm::Communicator& world, const std::filesystem::path& folder) {
  const auto file = folder / kConfigName;
  std::string text;
  comm::agree(world, "config.json", [&] {
    if (world.is_root()) text = storage::read_text(file);
  });
  text = world.broadcast_text(text, 0, {"config.json"});
  ForeignFolder found{folder, formats::parse_huggingface_config(text, file)};
  require_same_weights(world, folder);
  return found;
}

}  // namespace

SavedModel::SavedModel(checkpoint::Checked checkpoint) : from_{std::move(checkpoint)} {
  model_ = model_of(std::get<checkpoint::Checked>(from_).manifest);
}

SavedModel::SavedModel(ForeignFolder folder) : from_{std::move(folder)} {
  model_ = std::get<ForeignFolder>(from_).config.model;
}

const std::filesystem::path& SavedModel::folder() const {
  return checkpoint() != nullptr ? checkpoint()->folder : foreign()->folder;
}

std::optional<std::uint64_t> SavedModel::step() const {
  if (checkpoint() == nullptr) return std::nullopt;
  return checkpoint()->manifest.state.step;
}

model::Precision SavedModel::precision() const {
  if (checkpoint() == nullptr) return {};
  return precision_of(checkpoint()->manifest.identity);
}

std::unique_ptr<model::WeightSource> SavedModel::open(const model::ParameterTable& table) const {
  if (checkpoint() != nullptr) {
    return std::make_unique<checkpoint::CheckpointWeights>(table, *checkpoint());
  }
  return std::make_unique<formats::HuggingFaceWeights>(table, folder());
}

bool is_foreign_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path / kConfigName, ignored) &&
         !std::filesystem::exists(path / checkpoint::kManifestName, ignored) &&
         !std::filesystem::exists(checkpoint::checkpoints_folder(path), ignored);
}

bool is_gone(const std::filesystem::path& folder) {
  std::error_code ignored;
  return !std::filesystem::exists(folder / checkpoint::kManifestName, ignored);
}

model::ModelConfig saved_model_config(const std::filesystem::path& path) {
  if (is_foreign_folder(path)) return formats::read_huggingface_config(path).model;
  return model_of(checkpoint::Manifest::read(checkpoint::find_checkpoint(path)));
}

SavedModel find_saved_model(comm::Communicator& world, const std::filesystem::path& path) {
  const bool is_foreign = world.is_root() && is_foreign_folder(path);
  if (world.max(is_foreign ? 1 : 0, {"kind of model"}) == 1) {
    return SavedModel{read_foreign(world, path)};
  }
  return SavedModel{check_newest(world, path)};
}

SavedModel find_saved_model_alone(const std::filesystem::path& path) {
  if (is_foreign_folder(path)) {
    return SavedModel{ForeignFolder{path, formats::read_huggingface_config(path)}};
  }
  return SavedModel{check_newest_alone(path)};
}

}  // namespace ballast::train
