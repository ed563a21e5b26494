#include "train/offline/export_gguf.hpp"

#include <fmt/ranges.h>
#include <optional>
#include <utility>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "comm/agree.hpp"
#include "data/tokenizers/chat_template.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "formats/gguf/gguf_sink.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"
#include "storage/work_folder.hpp"
#include "train/offline/export_tokenizer.hpp"
#include "train/offline/importance.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

using formats::GgufFileType;

GgufFileType parse_type(const std::string& asked) {
  if (const auto type = value_of<GgufFileType>(asked)) return *type;
  std::vector<std::string_view> known;
  for (const auto& row : names<GgufFileType>()) known.push_back(row.word);
  throw usage_error("--dtype {} is none of --format gguf: {}", asked, fmt::join(known, ", "));
}

GgufFileType type_of(ElementType type) {
  switch (type) {
    case ElementType::bf16:
      return GgufFileType::bf16;
    case ElementType::fp16:
      return GgufFileType::f16;
    case ElementType::fp32:
      break;
  }
  return GgufFileType::f32;
}

void require_weighted(GgufFileType type) {
  if (formats::looks_at_importance(type)) return;
  throw usage_error(
      "--calibrate changes nothing about --dtype {}: leave it out, or choose a smaller type, such "
      "as q6_k or q4_k_m",
      word_of(type));
}

/// One file, as every rank does its part of it.
class GgufExport {
 public:
  explicit GgufExport(const ExportJob& job) : job_{&job} {}

  Exported run() {
    const std::string& asked = job_->options().dtype;
    const GgufFileType type = asked.empty() ? type_of(job_->stored_type()) : parse_type(asked);
    const bool is_calibrated = !job_->options().calibrate.empty();
    if (is_calibrated) require_weighted(type);
    require_plan(type);
    job_->on_root("tokenizer", [&] { find_text(); });
    if (is_calibrated) measure();
    const auto plan = comm::agree_on<formats::GgufPlan>(job_->world(), "file of the export", [&] {
      return formats::GgufPlan{job_->config(), job_->table(), type, importance_.columns};
    });
    const auto source = job_->open();

    job_->on_root("file of the export", [&] { begin(plan); });
    write_weights(plan, *source);
    job_->on_root("file of the export", [&] {
      work_->deliver(file_);
      work_.reset();  // before any rank returns, so that nobody finds it
    });
    return {.source = job_->saved().path(),
            .output = job_->output(),
            .architecture = plan.architecture(),
            .dtype = std::string{word_of(type)},
            .parameters = plan.total_parameters(),
            .files = 1,
            .bytes = data_begin_ + plan.data_bytes(),
            .importance = importance_note(),
            .tokenizer = tokenizer_.note};
  }

 private:
  /// A file without a tokenizer is one that llama.cpp opens, and takes token ids only.
  void find_text() {
    tokenizer_ = find_tokenizer(job_->saved(), job_->options().tokenizer);
    text_.name = job_->title();
    if (!data::makes_tokenizer(tokenizer_.files)) return;
    text_.tokenizer =
        formats::gguf_tokenizer_keys(*data::make_huggingface_tokenizer(tokenizer_.files),
                                     {.rows = job_->config().vocabulary,
                                      .special = tokenizer_.special,
                                      .chat_template = data::chat_template_of(tokenizer_.files)});
  }

  /// What the file cannot hold is said before anything is measured for it.
  void require_plan(GgufFileType type) const {
    comm::agree(job_->world(), "file of the export", [&] {
      (void)formats::GgufPlan{job_->config(), job_->table(), type};
    });
  }

  void measure() {
    const ExportOptions& options = job_->options();
    importance_ = measure_importance(job_->world(), job_->saved(),
                                     {options.calibrate, options.calibrate_windows});
    text_.importance = formats::gguf_importance_keys(options.calibrate.filename().string(),
                                                     importance_.windows, importance_.columns);
  }

  [[nodiscard]] std::string importance_note() const {
    if (importance_.windows == 0) return {};
    return fmt::format("{} windows of {} tokens of {}", with_thousands(importance_.windows),
                       with_thousands(importance_.seq_len), job_->options().calibrate.string());
  }

  /// All but the weights, and room for these.
  void begin(const formats::GgufPlan& plan) {
    work_.emplace(job_->output());
    file_ = work_->file("model.gguf");
    data_begin_ = formats::create_gguf(plan, text_, file_);
  }

  void write_weights(const formats::GgufPlan& plan, model::WeightSource& source) {
    comm::Communicator& world = job_->world();
    const fs::path file = world.broadcast_text(file_.string(), 0, {"export file"});
    const auto begin = world.max(checked_cast<std::int64_t>(data_begin_), {"begin of the data"});
    data_begin_ = checked_cast<std::uint64_t>(begin);
    const auto sink = comm::agree_on<std::unique_ptr<formats::GgufSink>>(
        world, "file of the export",
        [&] { return std::make_unique<formats::GgufSink>(plan, data_begin_, file); });
    job_->copy(source, *sink);
    comm::agree(world, "exported weights", [&] { sink->finish(); });
    job_->require_written(sink->written(), plan.total_parameters());
  }

  const ExportJob* job_;
  ExportedTokenizer tokenizer_;              ///< rank 0's
  formats::GgufText text_;                   ///< rank 0's, which writes the head
  MeasuredImportance importance_;            ///< none where there is no calibration
  std::optional<storage::WorkFolder> work_;  ///< rank 0's; goes away with what is not delivered
  fs::path file_;                            ///< rank 0's, in it
  std::uint64_t data_begin_ = 0;             ///< byte of the file
};

}  // namespace

Exported export_gguf(const ExportJob& job) { return GgufExport{job}.run(); }

}  // namespace ballast::train
