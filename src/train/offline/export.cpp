#include "train/offline/export.hpp"

#include <functional>
#include <memory>
#include <system_error>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/option_row.hpp"
#include "checkpoint/load_weights.hpp"
#include "comm/agree.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "formats/huggingface/folder_sink.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "storage/files.hpp"
#include "storage/work_folder.hpp"
#include "train/offline/export_card.hpp"
#include "train/offline/export_tokenizer.hpp"
#include "train/offline/new_output.hpp"
#include "train/settings/identity.hpp"
#include "train/settings/setting_changes.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

using Earlier = ExportOptions::Earlier;

std::string_view torch_name(ElementType type) {
  switch (type) {
    case ElementType::bf16:
      return "bfloat16";
    case ElementType::fp16:
      return "float16";
    default:
      return "float32";
  }
}

/// The type to write; rank 0 looks for all.
ElementType type_for(comm::Communicator& world, const ExportOptions& options,
                     const SavedModel& saved, const model::ParameterTable& table) {
  if (options.dtype) return *options.dtype;
  if (saved.foreign() == nullptr) return ElementType::fp32;
  ElementType type{};
  comm::agree(world, "tensors of the model", [&] {
    if (world.is_root()) type = formats::stored_type(table, saved.folder());
  });
  const auto number = world.max(world.is_root() ? static_cast<std::int64_t>(type) : 0, {"dtype"});
  return static_cast<ElementType>(number);
}

/// What config.json says.
formats::HuggingFaceConfig config_for(const SavedModel& saved,
                                      const formats::SpecialTokens& special) {
  formats::HuggingFaceConfig config{.model_type = {}, .model = saved.model()};
  config.bos = special.bos;
  config.eos = special.eos;
  config.pad = special.pad;
  if (saved.checkpoint() == nullptr) return config;
  const checkpoint::Manifest& manifest = saved.checkpoint()->manifest;
  if (config.model.context == 0) {
    config.model.context = number_of(manifest.identity, "data.seq_len");
  }
  const auto settings = settings_of(manifest.settings);
  if (const auto spread = settings.find("model.init_std"); spread != settings.end()) {
    // Not in the identity: it changes nothing about weights that are there.
    config.model.init_std =
        option_row::parse_number<double>(spread->second).value_or(config.model.init_std);
  }
  return config;
}

/// One export, as every rank does its part of it.
class Export {
 public:
  Export(comm::Communicator& world, const ExportOptions& options)
      : world_{&world},
        options_{&options},
        output_{without_trailing_slash(options.output)},
        saved_{find_saved_model(world, options.checkpoint)},
        table_{saved_.model()} {}

  Exported run() {
    on_root("model", [&] {
      (void)formats::family_of(saved_.model());
      tokenizer_ = find_tokenizer(saved_, options_->tokenizer);
    });
    const ElementType type = type_for(*world_, *options_, saved_, table_);
    const auto plan = comm::agree_on<formats::SafetensorsPlan>(*world_, "files of the export", [&] {
      return formats::plan_huggingface_weights(table_, type, options_->shard_bytes);
    });
    const auto source = comm::agree_on<std::unique_ptr<model::WeightSource>>(
        *world_, "tensors of the model", [&] { return saved_.open(table_); });

    on_root("folder of the export", [&] { begin(plan); });
    write_weights(plan, *source, world_->broadcast_text(folder_.string(), 0, {"export folder"}));
    on_root("folder of the export", [&] { deliver(); });
    return {.source = saved_.folder(),
            .folder = output_,
            .architecture = std::string{formats::family_of(saved_.model()).architecture},
            .dtype = type,
            .parameters = plan.total_parameters(),
            .files = plan.files().size(),
            .bytes = plan.total_bytes(),
            .tokenizer = tokenizer_.note};
  }

 private:
  void on_root(std::string_view what, const std::function<void()>& work) {
    comm::agree(*world_, what, [&] {
      if (world_->is_root()) work();
    });
  }

  /// All but the weights, and room for these.
  void begin(const formats::SafetensorsPlan& plan) {
    work_.emplace(output_);
    folder_ = work_->folder("model");
    const auto config = config_for(saved_, tokenizer_.special);
    storage::write_text_atomically(
        folder_ / formats::kConfigName,
        formats::huggingface_config_json(config, torch_name(plan.type())));
    const std::string title =
        options_->title.empty() ? output_.filename().string() : options_->title;
    storage::write_text_atomically(
        folder_ / formats::kModelCardName,
        formats::model_card_text(card_of(saved_, table_, title, options_->program)));
    write_tokenizer(tokenizer_, folder_);
    formats::create_safetensors(plan, folder_);
  }

  void write_weights(const formats::SafetensorsPlan& plan, model::WeightSource& source,
                     const fs::path& folder) {
    formats::HuggingFaceSink sink{table_, plan, folder};
    checkpoint::copy_weights(*world_, table_, source, sink);
    comm::agree(*world_, "exported weights", [&] { sink.finish(); });
    const auto own = checked_cast<std::int64_t>(sink.written());
    const auto written = checked_cast<std::uint64_t>(world_->sum(own, {"elements written"}));
    if (written != plan.total_parameters()) {
      throw internal_error("{} elements were written of {}", written, plan.total_parameters());
    }
  }

  void deliver() {
    if (options_->earlier == Earlier::replaced) {
      work_->deliver_over(folder_);
    } else {
      work_->deliver(folder_);
    }
    work_.reset();  // before any rank returns, so that nobody finds it
  }

  comm::Communicator* world_;
  const ExportOptions* options_;
  fs::path output_;
  SavedModel saved_;
  model::ParameterTable table_;
  ExportedTokenizer tokenizer_;              ///< rank 0's
  std::optional<storage::WorkFolder> work_;  ///< rank 0's; goes away with what is not delivered
  fs::path folder_;                          ///< rank 0's, in it
};

}  // namespace

Exported export_model(comm::Communicator& world, const ExportOptions& options) {
  world.set_timeout_s(options.timeout_s);
  comm::agree(world, "output", [&] {
    if (!world.is_root() || options.earlier == Earlier::replaced) return;
    require_new(without_trailing_slash(options.output));
  });
  return Export{world, options}.run();
}

}  // namespace ballast::train
