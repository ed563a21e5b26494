#include "train/start/read_foreign.hpp"

#include <system_error>

#include "checkpoint/folders.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/agree.hpp"
#include "comm/same.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "storage/files.hpp"
#include "train/start/foreign_kinds.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

/// Each rank reads its shards on its own host, which may have another model under that name.
void require_same_weights(comm::Communicator& world, const ForeignModel& model) {
  comm::Facts facts;
  comm::agree(world, "weights of the model", [&] {
    facts.push_back({"weights", model.sample_hash(), fs::absolute(model.path()).string()});
  });
  comm::require_same(world, facts, ExitCode::data, "give every host the same model");
}

/// Rank 0 reads config.json, so that all ranks build one model.
std::string read_config(comm::Communicator& world, const fs::path& folder) {
  std::string text;
  comm::agree(world, "config.json", [&] {
    if (world.is_root()) text = storage::read_text(folder / kForeignConfigName);
  });
  return world.broadcast_text(text, 0, {"config.json"});
}

}  // namespace

bool is_foreign_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path / kForeignConfigName, ignored) &&
         !fs::exists(path / checkpoint::kManifestName, ignored) &&
         !fs::exists(checkpoint::checkpoints_folder(path), ignored);
}

bool is_foreign_model(const fs::path& path) {
  return is_foreign_folder(path) || formats::is_gguf_file(path);
}

std::shared_ptr<const ForeignModel> read_foreign_model_alone(const fs::path& path) {
  if (!is_foreign_folder(path)) return read_gguf_model_file(path);
  return read_folder_model(path, storage::read_text(path / kForeignConfigName));
}

std::shared_ptr<const ForeignModel> read_foreign_model(comm::Communicator& world,
                                                       const fs::path& path) {
  using Model = std::shared_ptr<const ForeignModel>;
  const bool is_file = world.is_root() && !is_foreign_folder(path);
  Model model;
  if (world.max(is_file ? 1 : 0, {"kind of model"}) == 1) {
    model = comm::agree_on<Model>(world, "model", [&] { return read_gguf_model_file(path); });
  } else {
    const std::string config = read_config(world, path);
    model = comm::agree_on<Model>(world, "model", [&] { return read_folder_model(path, config); });
  }
  require_same_weights(world, *model);
  return model;
}

}  // namespace ballast::train
