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
#include "data/tokenizers/trained_bpe_files.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kBytes = "bytes";
/// A kind of tokenizer that can be trained: "bpe:VOCAB".
struct TrainedKind {
  std::string_view prefix;
  std::size_t smallest;
  std::size_t largest;
};
constexpr TrainedKind kSentencePiece{"sentencepiece:", kSmallestVocabulary, kLargestVocabulary};
constexpr TrainedKind kBpe{"bpe:", kSmallestVocabulary, kLargestVocabulary};
constexpr std::string_view kIdsPrefix = "ids:";

/// The one that is asked for; null: none.
const TrainedKind* kind_trained(const PrepareOptions& options) {
  for (const TrainedKind* kind : {&kSentencePiece, &kBpe}) {
    if (options.tokenizer.starts_with(kind->prefix)) return kind;
  }
  return nullptr;
}

std::size_t trained_vocabulary(const PrepareOptions& options) {
  const TrainedKind& kind = *kind_trained(options);
  const std::string_view digits = std::string_view{options.tokenizer}.substr(kind.prefix.size());
  const char* const last = digits.data() + digits.size();
  std::size_t vocabulary = 0;
  const auto [end, error] = std::from_chars(digits.data(), last, vocabulary);
  const bool is_number = error == std::errc{} && end == last;
  if (is_number && vocabulary >= kind.smallest && vocabulary <= kind.largest) return vocabulary;
  throw usage_error("--tokenizer {}VOCAB takes a vocabulary of {} to {}, not '{}'", kind.prefix,
                    kind.smallest, kind.largest, digits);
}

std::size_t id_vocabulary(std::string_view tokenizer) {
  const std::string_view digits = tokenizer.substr(kIdsPrefix.size());
  if (const auto vocabulary = parse_id_vocabulary(digits)) return *vocabulary;
  throw usage_error("--tokenizer ids:VOCAB takes a vocabulary of 1 to {}, not '{}'",
                    kLargestIdVocabulary, digits);
}

/// A model file that gives every text back stands for itself, as those that are trained here do;
/// all others are published ones, which their publishers' tokens are wanted of.
std::unique_ptr<Tokenizer> make_published_tokenizer(const TokenizerFiles& files) {
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

bool trains_tokenizer(const PrepareOptions& options) { return kind_trained(options) != nullptr; }

std::string field_of(const PrepareOptions& options) {
  if (!options.field.empty()) return options.field;
  return kind_of(options) == TextKind::ids ? "ids" : "text";
}

std::unique_ptr<Tokenizer> train_tokenizer(const PrepareOptions& options, const NextText& next) {
  const std::size_t vocabulary = trained_vocabulary(options);
  if (!options.tokenizer.starts_with(kBpe.prefix)) {
    return make_sentencepiece_tokenizer(train_sentencepiece(vocabulary, next));
  }
  return make_huggingface_tokenizer(trained_bpe_files(vocabulary, next));
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
  return with_context(fmt::format("'{}'", name),
                      [&] { return make_published_tokenizer(options.read_tokenizer(name)); });
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
  if (kind_trained(options) != nullptr) (void)trained_vocabulary(options);
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
