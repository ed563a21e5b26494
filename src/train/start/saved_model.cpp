#include "train/start/saved_model.hpp"

#include <optional>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "checkpoint/checkpoint_weights.hpp"
#include "checkpoint/folders.hpp"
#include "comm/agree.hpp"
#include "train/settings/identity.hpp"
#include "train/start/read_foreign.hpp"

namespace ballast::train {

namespace {

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

}  // namespace

SavedModel::SavedModel(checkpoint::Checked checkpoint) : from_{std::move(checkpoint)} {
  model_ = model_of(std::get<checkpoint::Checked>(from_).manifest);
}

SavedModel::SavedModel(std::shared_ptr<const ForeignModel> foreign)
    : from_{std::move(foreign)}, model_{this->foreign()->model()} {}

const std::filesystem::path& SavedModel::path() const {
  return checkpoint() != nullptr ? checkpoint()->folder : foreign()->path();
}

const ForeignModel* SavedModel::foreign() const {
  const auto* const model = std::get_if<std::shared_ptr<const ForeignModel>>(&from_);
  return model == nullptr ? nullptr : model->get();
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
  return foreign()->open(table);
}

bool is_gone(const std::filesystem::path& folder) {
  std::error_code ignored;
  return !std::filesystem::exists(folder / checkpoint::kManifestName, ignored);
}

model::ModelConfig saved_model_config(const std::filesystem::path& path) {
  if (is_foreign_model(path)) return read_foreign_model_alone(path)->model();
  return model_of(checkpoint::Manifest::read(checkpoint::find_checkpoint(path)));
}

SavedModel find_saved_model(comm::Communicator& world, const std::filesystem::path& path) {
  const bool is_foreign = world.is_root() && is_foreign_model(path);
  if (world.max(is_foreign ? 1 : 0, {"kind of model"}) == 1) {
    return SavedModel{read_foreign_model(world, path)};
  }
  return SavedModel{check_newest(world, path)};
}

SavedModel find_saved_model_alone(const std::filesystem::path& path) {
  if (is_foreign_model(path)) return SavedModel{read_foreign_model_alone(path)};
  return SavedModel{check_newest_alone(path)};
}

}  // namespace ballast::train
