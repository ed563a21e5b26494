#include "train/offline/export_job.hpp"

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/option_row.hpp"
#include "checkpoint/load_weights.hpp"
#include "comm/agree.hpp"
#include "train/offline/new_output.hpp"
#include "train/settings/identity.hpp"
#include "train/settings/setting_changes.hpp"

namespace ballast::train {

ExportJob::ExportJob(comm::Communicator& world, const ExportOptions& options)
    : world_{&world},
      options_{&options},
      output_{without_trailing_slash(options.output)},
      saved_{find_saved_model(world, options.checkpoint)},
      table_{saved_.model()} {}

model::ModelConfig ExportJob::config() const {
  model::ModelConfig config = saved_.model();
  if (saved_.checkpoint() == nullptr) return config;
  const checkpoint::Manifest& manifest = saved_.checkpoint()->manifest;
  if (config.context == 0) config.context = number_of(manifest.identity, "data.seq_len");
  const auto settings = settings_of(manifest.settings);
  if (const auto spread = settings.find("model.init_std"); spread != settings.end()) {
    // Not in the identity: it changes nothing about weights that are there.
    config.init_std = option_row::parse_number<double>(spread->second).value_or(config.init_std);
  }
  return config;
}

std::string ExportJob::title() const {
  if (!options_->title.empty()) return options_->title;
  return options_->format == ExportFormat::gguf ? output_.stem().string()
                                                : output_.filename().string();
}

ElementType ExportJob::stored_type() const {
  if (saved_.foreign() == nullptr) return ElementType::fp32;
  ElementType type{};
  on_root("tensors of the model", [&] { type = saved_.foreign()->stored_type(table_); });
  const auto own = world_->is_root() ? static_cast<std::int64_t>(type) : 0;
  return static_cast<ElementType>(world_->max(own, {"dtype"}));
}

void ExportJob::on_root(std::string_view what, const std::function<void()>& work) const {
  comm::agree(*world_, what, [&] {
    if (world_->is_root()) work();
  });
}

std::unique_ptr<model::WeightSource> ExportJob::open() const {
  return comm::agree_on<std::unique_ptr<model::WeightSource>>(*world_, "tensors of the model",
                                                              [&] { return saved_.open(table_); });
}

void ExportJob::copy(model::WeightSource& source, model::WeightSink& sink) const {
  checkpoint::copy_weights(*world_, table_, source, sink);
}

void ExportJob::require_written(std::uint64_t own, std::uint64_t planned) const {
  const auto sum = world_->sum(checked_cast<std::int64_t>(own), {"elements written"});
  const auto written = checked_cast<std::uint64_t>(sum);
  if (written == planned) return;
  throw internal_error("{} elements were written of {}", written, planned);
}

}  // namespace ballast::train
