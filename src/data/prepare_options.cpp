#include "data/prepare_options.hpp"

#include <charconv>
#include <fmt/format.h>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "data/tokenizers/sentencepiece_model.hpp"
#include "data/tokenizers/sentencepiece_trainer.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kBytes = "bytes";
constexpr std::string_view kTrainedPrefix = "sentencepiece:";
constexpr std::string_view kIdsPrefix = "ids:";

std::size_t id_vocabulary(std::string_view tokenizer) {
  const std::string_view digits = tokenizer.substr(kIdsPrefix.size());
  if (const auto vocabulary = parse_id_vocabulary(digits)) return *vocabulary;
  throw usage_error("--tokenizer ids:VOCAB takes a vocabulary of 1 to {}, not '{}'",
                    kLargestIdVocabulary, digits);
}

/// A model file that gives every text back stands for itself, as those that are trained here do;
/// all others are published ones, which their publishers' tokens are wanted of.
std::unique_ptr<Tokenizer> tokenizer_at(const fs::path& path) {
  const TokenizerFiles files = read_tokenizer_files(path);
  const auto model = files.find(kSentencePieceName);
  if (files.size() == 1 && model != files.end()) {
    const std::vector<std::uint8_t> bytes{model->second.begin(), model->second.end()};
    if (!read_sentencepiece_model(bytes).adds_space_prefix) {
      return make_sentencepiece_tokenizer(bytes);
    }
  }
  return make_huggingface_tokenizer(files);
}

/// What changes or reads text has nothing to do with ids.
void check_for_ids(const PrepareOptions& options) {
  (void)id_vocabulary(options.tokenizer);
  if (options.format == FormatChoice::text) {
    throw usage_error("--tokenizer ids:VOCAB reads JSON lines: leave out --format text");
  }
  if (options.join || options.mark_documents) {
    throw usage_error(
        "--tokenizer ids:VOCAB adds no token and no text, only the places where documents begin: "
        "leave out {}",
        options.join ? "--join" : "--documents");
  }
}

}  // namespace

bool trains_tokenizer(const PrepareOptions& options) {
  return options.tokenizer.starts_with(kTrainedPrefix);
}

std::string field_of(const PrepareOptions& options) {
  if (!options.field.empty()) return options.field;
  return kind_of(options) == TextKind::ids ? "ids" : "text";
}

std::size_t trained_vocabulary(const PrepareOptions& options) {
  const std::string_view digits = std::string_view{options.tokenizer}.substr(kTrainedPrefix.size());
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

TextKind kind_of(const PrepareOptions& options) {
  if (options.tokenizer.starts_with(kIdsPrefix)) return TextKind::ids;
  return options.tokenizer == kBytes ? TextKind::bytes : TextKind::utf8;
}

std::unique_ptr<Tokenizer> load_tokenizer(const PrepareOptions& options) {
  const std::string& name = options.tokenizer;
  if (name == kBytes) return make_byte_tokenizer();
  if (name.starts_with(kIdsPrefix)) return make_ids_tokenizer(id_vocabulary(name));
  std::error_code error;
  if (!fs::exists(name, error)) {
    throw data_error(
        "tokenizer '{}' is neither bytes, sentencepiece:VOCAB, bpe:VOCAB, ids:VOCAB nor an "
        "existing folder or file",
        name);
  }
  return with_context(fmt::format("'{}'", name), [&] { return tokenizer_at(name); });
}

void check(const PrepareOptions& options) {
  if (options.inputs.empty()) throw usage_error("prepare needs an --input");
  if (options.output.empty()) throw usage_error("prepare needs an --output");
  if (!(options.validation_fraction >= 0 && options.validation_fraction < 1)) {
    throw usage_error("the validation fraction must be at least 0 and below 1, not {}",
                      options.validation_fraction);
  }
  if (options.join && options.mark_documents) {
    throw usage_error("--documents marks documents and --join joins them: choose one");
  }
  if (trains_tokenizer(options)) (void)trained_vocabulary(options);
  if (kind_of(options) == TextKind::ids) check_for_ids(options);
  std::error_code ignored;  // writing it will tell
  const fs::file_status output = fs::status(options.output, ignored);
  if (fs::is_directory(output)) {
    throw data_error("the output '{}' is a folder: name a file", options.output.string());
  }
  if (fs::exists(output) && !fs::is_regular_file(output)) {
    throw data_error("the output '{}' is no regular file: name one", options.output.string());
  }
  const fs::path folder = options.output.has_parent_path() ? options.output.parent_path() : ".";
  if (!fs::is_directory(folder, ignored)) {
    throw data_error("the output's folder '{}' does not exist", folder.string());
  }
}

}  // namespace ballast::data
