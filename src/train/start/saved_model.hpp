#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "checkpoint/check.hpp"
#include "comm/communicator.hpp"
#include "model/model_config.hpp"
#include "model/parameters.hpp"
#include "model/precision.hpp"
#include "model/weight_source.hpp"
#include "train/start/foreign_model.hpp"

namespace ballast::train {

/// A model that somebody trained: a checkpoint of ours, or a foreign model.
class SavedModel {
 public:
  explicit SavedModel(checkpoint::Checked checkpoint);
  explicit SavedModel(std::shared_ptr<const ForeignModel> foreign);

  /// The folder of the checkpoint, or what the foreign model was named by.
  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const model::ModelConfig& model() const { return model_; }
  /// Of a checkpoint of ours: the last step that was taken.
  [[nodiscard]] std::optional<std::uint64_t> step() const;
  /// The types that it was trained in, as far as anybody says; fp32 for a foreign one.
  [[nodiscard]] model::Precision precision() const;
  /// What is known of a checkpoint of ours; null for a foreign model.
  [[nodiscard]] const checkpoint::Checked* checkpoint() const {
    return std::get_if<checkpoint::Checked>(&from_);
  }
  /// What is known of a foreign model; null for a checkpoint of ours.
  [[nodiscard]] const ForeignModel* foreign() const;

  /// Its weights, for a model of this table, which must outlive the result. Data Errors name the
  /// file, and the tensors that are others than the model's.
  [[nodiscard]] std::unique_ptr<model::WeightSource> open(const model::ParameterTable& table) const;

 private:
  std::variant<checkpoint::Checked, std::shared_ptr<const ForeignModel>> from_;
  model::ModelConfig model_;
};

/// The shape of the model at such a path, read by one process: of a run directory its newest
/// checkpoint's. Data Errors name the file.
[[nodiscard]] model::ModelConfig saved_model_config(const std::filesystem::path& path);

/// Whether a checkpoint is no longer in its folder.
[[nodiscard]] bool is_gone(const std::filesystem::path& folder);

/// What `path` means: a checkpoint, a run directory for its newest one, or a foreign model. Every
/// file of a checkpoint has been held against its manifest; of a foreign model the configuration is
/// read.
/// A training that goes on may delete its newest checkpoint meanwhile: then there is a newer one.
/// Data Errors name the file. Collective; the same on every rank.
[[nodiscard]] SavedModel find_saved_model(comm::Communicator& world,
                                          const std::filesystem::path& path);
/// The same in one process.
[[nodiscard]] SavedModel find_saved_model_alone(const std::filesystem::path& path);

}  // namespace ballast::train
