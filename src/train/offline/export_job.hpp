#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "comm/communicator.hpp"
#include "model/parameters.hpp"
#include "model/weight_source.hpp"
#include "tensor/element.hpp"
#include "train/offline/export_options.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

/// What all ranks share while they export a model, whatever the format.
class ExportJob {
 public:
  /// Finds the model. `options` must outlive this. Collective.
  ExportJob(comm::Communicator& world, const ExportOptions& options);

  [[nodiscard]] comm::Communicator& world() const { return *world_; }
  [[nodiscard]] const ExportOptions& options() const { return *options_; }
  /// Where the export appears.
  [[nodiscard]] const std::filesystem::path& output() const { return output_; }
  [[nodiscard]] const SavedModel& saved() const { return saved_; }
  [[nodiscard]] const model::ParameterTable& table() const { return table_; }
  /// The model, with the longest text that it was trained on where no key says for how long ones it
  /// is made, and the spread that it began with.
  [[nodiscard]] model::ModelConfig config() const;
  /// The model's name.
  [[nodiscard]] std::string title() const;

  /// What the weights are stored as: see ForeignModel; fp32 of a checkpoint. Collective.
  [[nodiscard]] ElementType stored_type() const;
  /// Runs `work` on rank 0; its Error is every rank's. Collective.
  void on_root(std::string_view what, const std::function<void()>& work) const;
  /// The model's weights; their Errors are every rank's. Collective.
  [[nodiscard]] std::unique_ptr<model::WeightSource> open() const;
  /// Every weight goes from the source to the sinks of all ranks. Collective.
  void copy(model::WeightSource& source, model::WeightSink& sink) const;
  /// An internal Error unless all ranks together wrote what was planned. Collective.
  void require_written(std::uint64_t own, std::uint64_t planned) const;

 private:
  comm::Communicator* world_;
  const ExportOptions* options_;
  std::filesystem::path output_;
  SavedModel saved_;
  model::ParameterTable table_;
};

}  // namespace ballast::train
