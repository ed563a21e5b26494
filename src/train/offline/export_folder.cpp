#include "train/offline/export_folder.hpp"

#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/words.hpp"
#include "comm/agree.hpp"
#include "formats/huggingface/family.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "formats/huggingface/folder_sink.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "storage/files.hpp"
#include "storage/work_folder.hpp"
#include "train/offline/export_card.hpp"
#include "train/offline/export_tokenizer.hpp"
#include "train/settings/model_words.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

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

/// The type to write. Collective.
ElementType type_for(const ExportJob& job) {
  if (const std::string& asked = job.options().dtype; !asked.empty()) {
    if (const auto type = value_of<ElementType>(asked)) return *type;
    throw usage_error("--dtype {} is none of --format hf: fp32, bf16, fp16", asked);
  }
  return job.stored_type();
}

/// One folder, as every rank does its part of it.
class FolderExport {
 public:
  explicit FolderExport(const ExportJob& job) : job_{&job} {}

  Exported run() {
    job_->on_root("model", [&] {
      (void)formats::family_of(job_->saved().model());
      tokenizer_ = find_tokenizer(job_->saved(), job_->options().tokenizer);
    });
    const ElementType type = type_for(*job_);
    const auto plan =
        comm::agree_on<formats::SafetensorsPlan>(job_->world(), "files of the export", [&] {
          return formats::plan_huggingface_weights(job_->table(), type,
                                                   job_->options().shard_bytes);
        });
    const auto source = job_->open();

    job_->on_root("folder of the export", [&] { begin(plan); });
    write_weights(plan, *source,
                  job_->world().broadcast_text(folder_.string(), 0, {"export folder"}));
    job_->on_root("folder of the export", [&] { deliver(); });
    return {.source = job_->saved().path(),
            .output = job_->output(),
            .architecture = std::string{formats::family_of(job_->saved().model()).architecture},
            .dtype = std::string{word_of(type)},
            .parameters = plan.total_parameters(),
            .files = plan.files().size(),
            .bytes = plan.total_bytes(),
            .tokenizer = tokenizer_.note};
  }

 private:
  /// All but the weights, and room for these.
  void begin(const formats::SafetensorsPlan& plan) {
    work_.emplace(job_->output());
    folder_ = work_->folder("model");
    const formats::HuggingFaceConfig config{
        .model_type = {}, .model = job_->config(), .special = tokenizer_.special};
    storage::write_text_atomically(
        folder_ / formats::kConfigName,
        formats::huggingface_config_json(config, torch_name(plan.type())));
    const auto card = card_of(job_->saved(), job_->table(), job_->title(), job_->options().program);
    storage::write_text_atomically(folder_ / formats::kModelCardName,
                                   formats::model_card_text(card));
    write_tokenizer(tokenizer_, folder_);
    formats::create_safetensors(plan, folder_);
  }

  void write_weights(const formats::SafetensorsPlan& plan, model::WeightSource& source,
                     const fs::path& folder) {
    formats::HuggingFaceSink sink{job_->table(), plan, folder};
    job_->copy(source, sink);
    comm::agree(job_->world(), "exported weights", [&] { sink.finish(); });
    job_->require_written(sink.written(), plan.total_parameters());
  }

  void deliver() {
    if (job_->options().earlier == ExportOptions::Earlier::replaced) {
      work_->deliver_over(folder_);
    } else {
      work_->deliver(folder_);
    }
    work_.reset();  // before any rank returns, so that nobody finds it
  }

  const ExportJob* job_;
  ExportedTokenizer tokenizer_;              ///< rank 0's
  std::optional<storage::WorkFolder> work_;  ///< rank 0's; goes away with what is not delivered
  fs::path folder_;                          ///< rank 0's, in it
};

}  // namespace

Exported export_folder(const ExportJob& job) { return FolderExport{job}.run(); }

}  // namespace ballast::train
