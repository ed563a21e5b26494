#pragma once

#include <filesystem>
#include <memory>

#include "comm/communicator.hpp"
#include "train/start/foreign_model.hpp"

namespace ballast::train {

/// Whether `path` is a Hugging Face folder: one with a config.json, and no checkpoint of ours.
[[nodiscard]] bool is_foreign_folder(const std::filesystem::path& path);
/// Whether `path` is that, or a GGUF file.
[[nodiscard]] bool is_foreign_model(const std::filesystem::path& path);

/// The model at such a path. Collective; the same on every rank, each of which reads the weights on
/// its own host: an Error if another host has another model there.
[[nodiscard]] std::shared_ptr<const ForeignModel> read_foreign_model(
    comm::Communicator& world, const std::filesystem::path& path);
/// The same in one process.
[[nodiscard]] std::shared_ptr<const ForeignModel> read_foreign_model_alone(
    const std::filesystem::path& path);

}  // namespace ballast::train
