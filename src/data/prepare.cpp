#include "data/prepare.hpp"

#include <algorithm>
#include <fmt/ranges.h>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/team.hpp"
#include "data/corpus.hpp"
#include "data/encoder.hpp"
#include "data/joined.hpp"
#include "data/prepare_options.hpp"
#include "data/training_sample.hpp"
#include "storage/files.hpp"
#include "storage/work_folder.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

/// What the first pass over a corpus finds.
class Survey final : public DocumentSink {
 public:
  void begin_document(float weight) override {
    ++totals_.documents;
    if (weight != 1.0f) weights_ = LossWeights::stored;
  }
  void text(std::string_view piece) override { totals_.length += piece.size(); }
  void ids(std::span<const std::int32_t> piece) override { totals_.length += piece.size(); }

  [[nodiscard]] CorpusTotals totals() const { return totals_; }
  [[nodiscard]] LossWeights weights() const { return weights_; }

 private:
  CorpusTotals totals_;
  LossWeights weights_ = LossWeights::none;
};

/// One run of `prepare`: the corpus passes by twice, or three times when a tokenizer is trained.
class Preparation {
 public:
  Preparation(const PrepareOptions& options, const Progress& progress)
      : options_{options}, progress_{progress}, trains_{trains_tokenizer(options)} {}
  PrepareSummary run();

 private:
  void find(const storage::WorkFolder& work);
  void leave_output_out();
  void survey();
  void train_tokenizer();
  void encode(const fs::path& path);
  std::vector<SourceRecord> pass(DocumentSink& sink);
  void note_skipped(const std::string& words);
  [[nodiscard]] SplitRouter router(SegmentSink& sink) const;
  [[nodiscard]] Boundaries boundaries() const;
  [[nodiscard]] DocumentMarks marks() const;
  [[nodiscard]] bool is_of_ids() const { return kind_of(options_) == TextKind::ids; }

  const PrepareOptions& options_;
  const Progress& progress_;
  bool trains_;
  FoundSources found_;
  std::vector<SourceRecord> records_;
  Survey survey_;
  std::unique_ptr<Tokenizer> tokenizer_;
  PrepareSummary summary_;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_total_ = 0;
};

/// An older output among the inputs is no text; any other file that is both would be lost.
void Preparation::leave_output_out() {
  std::error_code ignored;
  const auto is_output = [&](const Source& source) {
    return fs::equivalent(source.path, options_.output, ignored);
  };
  const auto found = std::ranges::find_if(found_.sources, is_output);
  if (found == found_.sources.end()) return;
  if (!is_own_dataset(found->path)) {
    throw data_error("'{}' is input and output: name another output", found->name);
  }
  found_.left_out.add(LeftOut::own_dataset, found->name);
  found_.sources.erase(found);
}

void Preparation::find(const storage::WorkFolder& work) {
  found_ = find_sources(options_.inputs);
  leave_output_out();
  std::size_t spooled = 0;
  for (Source& source : found_.sources) {
    if (reads_once(source)) spool(source, work.file(fmt::format("input{}", spooled++)));
  }
  settle_formats(found_, is_of_ids() ? FormatChoice::jsonl : options_.format, field_of(options_));
  if (found_.sources.empty()) {
    throw data_error("the inputs hold nothing to read; left out: {}",
                     fmt::join(found_.left_out.describe(), "; "));
  }
  std::uint64_t bytes = 0;
  for (const Source& source : found_.sources) {
    std::error_code ignored;
    const auto size = fs::file_size(source.path, ignored);
    if (!ignored) bytes += size;
  }
  bytes_total_ = bytes * (trains_ ? 3 : 2);
}

void Preparation::note_skipped(const std::string& words) {
  if (!records_.empty()) return;  // noted in the first pass
  SkippedLines& skipped = summary_.skipped;
  if (++skipped.count <= SkippedLines::kExamples) skipped.examples.push_back(words);
}

std::vector<SourceRecord> Preparation::pass(DocumentSink& sink) {
  const ReadRules rules{kind_of(options_), field_of(options_), options_.bad_lines,
                        tokenizer_ ? tokenizer_->vocabulary() : 0};
  const ReadWatch watch{[&](std::uint64_t bytes) {
                          bytes_done_ += bytes;
                          if (progress_) progress_(bytes_done_, bytes_total_);
                        },
                        [&](const std::string& words) { note_skipped(words); }};
  std::optional<Joined> joined;
  if (options_.join) joined.emplace(*options_.join, sink);
  DocumentSink& target = joined ? static_cast<DocumentSink&>(*joined) : sink;
  std::vector<SourceRecord> records;
  for (const Source& source : found_.sources) {
    records.push_back(read_source(source, rules, target, watch));
    const bool changed =
        !records_.empty() && records.back().hash != records_[records.size() - 1].hash;
    if (changed) throw data_error("'{}' changed while it was read: start again", source.name);
  }
  return records;
}

void Preparation::survey() {
  records_ = pass(survey_);
  if (survey_.totals().length > 0) return;
  if (summary_.skipped.count > 0) {
    throw data_error("no line holds {} that can be used; the first: {}",
                     is_of_ids() ? "token ids" : "a text", summary_.skipped.examples.front());
  }
  const std::string_view missing = is_of_ids() ? "token ids" : "text";
  if (records_.size() == 1) {
    throw data_error("'{}' is empty: no {}", records_.front().name, missing);
  }
  throw data_error("the {} input files are empty: no {}", records_.size(), missing);
}

SplitRouter Preparation::router(SegmentSink& sink) const {
  return {options_.split, options_.validation_fraction, survey_.totals(), kind_of(options_), sink};
}

Boundaries Preparation::boundaries() const {
  const bool several = survey_.totals().documents > 1;
  if (options_.join) return several ? Boundaries::joined : Boundaries::none;
  if (is_of_ids()) return several ? Boundaries::starts : Boundaries::none;
  return several || options_.mark_documents ? Boundaries::marked : Boundaries::none;
}

DocumentMarks Preparation::marks() const {
  switch (boundaries()) {
    case Boundaries::marked:
      return DocumentMarks::token;
    case Boundaries::starts:
      return DocumentMarks::starts;
    case Boundaries::none:
    case Boundaries::joined:
      return DocumentMarks::none;
  }
  throw internal_error("unknown boundaries");
}

void Preparation::train_tokenizer() {
  TrainingSample sample{survey_.totals().length};
  SplitRouter splits = router(sample);
  (void)pass(splits);
  if (sample.empty()) {
    throw data_error(
        "the split leaves no text to train a vocabulary on: use --split tail, or "
        "prepare more text");
  }
  bool taken = false;
  tokenizer_ = data::train_tokenizer(options_, [&](std::string& text) {
    if (!taken) text = sample.take();
    return !std::exchange(taken, true);
  });
}

void Preparation::encode(const fs::path& path) {
  DatasetWriter writer{path, *tokenizer_, survey_.weights()};
  Team team{options_.threads.value_or(usable_processors())};
  Encoder encoder{*tokenizer_, marks(), writer, team};
  SplitRouter splits = router(encoder);
  (void)pass(splits);
  encoder.finish();
  const DatasetInfo info = writer.finish(
      describe(options_.split, options_.validation_fraction, kind_of(options_)), records_);
  summary_.raw_bytes = info.raw_bytes;
  summary_.train_tokens = info.train_tokens;
  summary_.validation_tokens = info.validation_tokens;
  summary_.longest_train_segment = encoder.longest_train_segment();
  summary_.vocabulary = info.vocabulary;
}

PrepareSummary Preparation::run() {
  if (!trains_) tokenizer_ = load_tokenizer(options_);
  storage::WorkFolder work{options_.output};
  find(work);
  survey();
  if (trains_) train_tokenizer();
  const fs::path dataset = work.file("dataset.h5");
  encode(dataset);
  work.deliver(dataset);
  summary_.json_files = static_cast<std::uint64_t>(
      std::ranges::count(found_.sources, SourceFormat::jsonl, &Source::format));
  summary_.text_files = found_.sources.size() - summary_.json_files;
  summary_.empty_files = static_cast<std::uint64_t>(std::ranges::count_if(
      records_, [](const SourceRecord& record) { return record.bytes + record.ids == 0; }));
  summary_.documents = survey_.totals().documents;
  summary_.boundaries = boundaries();
  summary_.left_out = found_.left_out;
  summary_.is_of_ids = is_of_ids();
  return std::move(summary_);
}

}  // namespace

PrepareSummary prepare(const PrepareOptions& options, const Progress& progress) {
  check(options);
  return Preparation{options, progress}.run();
}

}  // namespace ballast::data
