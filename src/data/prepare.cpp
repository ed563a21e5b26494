#include "data/prepare.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <system_error>

#include "base/error.hpp"
#include "data/encoder.hpp"
#include "data/sentencepiece_trainer.hpp"
#include "data/sources.hpp"
#include "storage/files.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kBytes = "bytes";
constexpr std::string_view kTrainedPrefix = "sentencepiece:";

/// Text that a tokenizer is trained on: more changes the vocabulary little and costs memory.
constexpr std::uint64_t kTrainingBytes = std::uint64_t{32} << 20;

/// What the first pass over a corpus finds.
class Survey final : public DocumentSink {
 public:
  void begin_document(float weight) override {
    ++totals_.documents;
    if (weight != 1.0f) weights_ = LossWeights::stored;
  }
  void text(std::string_view piece) override { totals_.bytes += piece.size(); }

  [[nodiscard]] CorpusTotals totals() const { return totals_; }
  [[nodiscard]] LossWeights weights() const { return weights_; }

 private:
  CorpusTotals totals_;
  LossWeights weights_ = LossWeights::none;
};

/// Keeps training text, of a large corpus pieces spread evenly.
class TrainingSample final : public SegmentSink {
 public:
  explicit TrainingSample(std::uint64_t corpus_bytes) : corpus_bytes_{corpus_bytes} {}

  void begin_segment(Split split) override {
    split_ = split;
    text_ += '\n';
  }
  void begin_document(float) override { text_ += '\n'; }
  void text(std::string_view piece) override {
    const double seen = static_cast<double>(seen_) / static_cast<double>(corpus_bytes_);
    const bool wanted = corpus_bytes_ <= kTrainingBytes ||
                        static_cast<double>(text_.size()) <=
                            seen * static_cast<double>(kTrainingBytes - piece.size());
    if (split_ == Split::train && wanted) text_ += piece;
    seen_ += piece.size();
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::uint64_t corpus_bytes_;
  std::uint64_t seen_ = 0;
  Split split_ = Split::train;
  std::string text_;
};

std::size_t trained_vocabulary(std::string_view tokenizer) {
  const std::string_view digits = tokenizer.substr(kTrainedPrefix.size());
  std::size_t vocabulary = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), vocabulary);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      vocabulary < kSmallestVocabulary || vocabulary > kLargestVocabulary) {
    throw usage_error("--tokenizer sentencepiece:VOCAB takes a vocabulary of {} to {}, not '{}'",
                      kSmallestVocabulary, kLargestVocabulary, digits);
  }
  return vocabulary;
}

/// A tokenizer that is there already.
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& name) {
  if (name == kBytes) return make_byte_tokenizer();
  std::error_code error;
  if (!fs::exists(name, error)) {
    throw data_error("tokenizer '{}' is neither bytes, sentencepiece:VOCAB nor an existing model",
                     name);
  }
  return with_context(fmt::format("'{}'", name), [&] {
    const std::string text = storage::read_text(name);
    return make_sentencepiece_tokenizer(std::vector<std::uint8_t>{text.begin(), text.end()});
  });
}

/// One run of `prepare`: the corpus passes by twice, or three times when a tokenizer is trained.
class Preparation {
 public:
  Preparation(const PrepareOptions& options, const Progress& progress);
  PrepareSummary run();

 private:
  void find();
  void survey();
  void train_tokenizer();
  DatasetInfo encode(const fs::path& path);
  std::vector<SourceRecord> pass(DocumentSink& sink);
  [[nodiscard]] SplitRouter router(SegmentSink& sink) const;
  [[nodiscard]] TextKind kind() const;

  const PrepareOptions& options_;
  const Progress& progress_;
  std::vector<Source> sources_;
  std::vector<TemporaryFile> spooled_;
  std::vector<SourceRecord> records_;
  Survey survey_;
  std::unique_ptr<Tokenizer> tokenizer_;
  bool trains_;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_total_ = 0;
};

Preparation::Preparation(const PrepareOptions& options, const Progress& progress)
    : options_{options},
      progress_{progress},
      trains_{options.tokenizer.starts_with(kTrainedPrefix)} {
  if (options.inputs.empty()) throw usage_error("prepare needs an --input");
  if (options.output.empty()) throw usage_error("prepare needs an --output");
  if (!(options.validation_fraction >= 0 && options.validation_fraction < 1)) {
    throw usage_error("the validation fraction must be at least 0 and below 1, not {}",
                      options.validation_fraction);
  }
  std::error_code ignored;  // writing it will tell
  if (fs::is_directory(options.output, ignored)) {
    throw data_error("the output '{}' is a folder: name a file", options.output.string());
  }
  if (trains_) (void)trained_vocabulary(options.tokenizer);
  const fs::path folder = options.output.has_parent_path() ? options.output.parent_path() : ".";
  if (!fs::is_directory(folder, ignored)) {
    throw data_error("the output's folder '{}' does not exist", folder.string());
  }
}

TextKind Preparation::kind() const {
  return options_.tokenizer == kBytes ? TextKind::bytes : TextKind::utf8;
}

void Preparation::find() {
  sources_ = find_sources(options_.inputs);
  std::erase_if(sources_, [&](const Source& source) {  // an older output among the inputs
    std::error_code ignored;
    return fs::equivalent(source.path, options_.output, ignored);
  });
  std::uint64_t bytes = 0;
  for (Source& source : sources_) {
    if (reads_once(source)) {
      spooled_.emplace_back(options_.output, fmt::format("input{}", spooled_.size()));
      spool(source, spooled_.back());
    }
    std::error_code ignored;
    const auto size = fs::file_size(source.path, ignored);
    if (!ignored) bytes += size;
  }
  bytes_total_ = bytes * (trains_ ? 3 : 2);
}

std::vector<SourceRecord> Preparation::pass(DocumentSink& sink) {
  std::vector<SourceRecord> records;
  const BytesRead bytes_read = [&](std::uint64_t bytes) {
    bytes_done_ += bytes;
    if (progress_) progress_(bytes_done_, bytes_total_);
  };
  for (const Source& source : sources_) {
    records.push_back(read_source(source, kind(), sink, bytes_read));
    const bool changed =
        !records_.empty() && records.back().hash != records_[records.size() - 1].hash;
    if (changed) throw data_error("'{}' changed while it was read: start again", source.name);
  }
  return records;
}

void Preparation::survey() {
  records_ = pass(survey_);
  if (survey_.totals().bytes > 0) return;
  if (sources_.size() == 1) throw data_error("'{}' is empty: no text", sources_.front().name);
  throw data_error("the {} input files are empty: no text", sources_.size());
}

SplitRouter Preparation::router(SegmentSink& sink) const {
  return {options_.split, options_.validation_fraction, survey_.totals(), kind(), sink};
}

void Preparation::train_tokenizer() {
  TrainingSample sample{survey_.totals().bytes};
  SplitRouter splits = router(sample);
  (void)pass(splits);
  bool taken = false;
  const auto model =
      train_sentencepiece(trained_vocabulary(options_.tokenizer), [&](std::string& text) {
        if (!taken) text = sample.take();
        return !std::exchange(taken, true);
      });
  tokenizer_ = make_sentencepiece_tokenizer(model);
}

DatasetInfo Preparation::encode(const fs::path& path) {
  DatasetWriter writer{path, *tokenizer_, survey_.weights()};
  const auto marks = options_.mark_documents ? DocumentMarks::bos : DocumentMarks::none;
  Encoder encoder{*tokenizer_, marks, writer};
  SplitRouter splits = router(encoder);
  (void)pass(splits);
  encoder.finish();
  return writer.finish(describe(options_.split, options_.validation_fraction), records_);
}

PrepareSummary Preparation::run() {
  TemporaryFile temporary{options_.output, "tmp"};
  if (!trains_) tokenizer_ = load_tokenizer(options_.tokenizer);
  find();
  survey();
  if (trains_) train_tokenizer();
  const DatasetInfo info = encode(temporary.path());
  temporary.replace(options_.output);
  return {.sources = sources_.size(),
          .raw_bytes = info.raw_bytes,
          .train_tokens = info.train_tokens,
          .validation_tokens = info.validation_tokens,
          .vocabulary = info.vocabulary};
}

}  // namespace

PrepareSummary prepare(const PrepareOptions& options, const Progress& progress) {
  return Preparation{options, progress}.run();
}

}  // namespace ballast::data
