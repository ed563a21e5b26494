#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/tokenizers/token_ids.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

namespace {

/// Stands where texts were tokenized by somebody else: it knows how many tokens there are, and
/// nothing of what they mean.
class IdsTokenizer final : public Tokenizer {
 public:
  explicit IdsTokenizer(std::size_t vocabulary) : vocabulary_{vocabulary} {}

  [[nodiscard]] std::string name() const override { return std::string{kIdsTokenizer}; }
  [[nodiscard]] std::size_t vocabulary() const override { return vocabulary_; }
  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return make_ids_tokenizer(vocabulary_);
  }
  [[nodiscard]] std::int32_t bos() const override { return -1; }
  [[nodiscard]] std::int32_t eos() const override { return -1; }
  /// The vocabulary in digits.
  [[nodiscard]] std::vector<std::uint8_t> model() const override {
    const std::string digits = fmt::format("{}", vocabulary_);
    return {digits.begin(), digits.end()};
  }
  [[nodiscard]] std::optional<TokenizerContent> content() const override { return std::nullopt; }

  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view, TextPart) const override {
    throw data_error(
        "the texts were token ids already, and no tokenizer is known that makes them of a text: "
        "give token ids instead");
  }
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
    return format_token_ids(ids);
  }
  [[nodiscard]] std::size_t piece_bytes(std::int32_t id) const override {
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_) {
      throw data_error("token {} is outside the vocabulary of {}", id, vocabulary_);
    }
    return 0;
  }

 private:
  std::size_t vocabulary_;
};

}  // namespace

std::optional<std::size_t> parse_id_vocabulary(std::string_view digits) {
  std::size_t vocabulary = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, vocabulary);
  if (error != std::errc{} || end != last) return std::nullopt;
  if (vocabulary == 0 || vocabulary > kLargestIdVocabulary) return std::nullopt;
  return vocabulary;
}

std::unique_ptr<Tokenizer> make_ids_tokenizer(std::size_t vocabulary) {
  return std::make_unique<IdsTokenizer>(vocabulary);
}

std::unique_ptr<Tokenizer> make_ids_tokenizer(std::span<const std::uint8_t> model) {
  const std::string digits{model.begin(), model.end()};
  const auto vocabulary = parse_id_vocabulary(digits);
  if (vocabulary) return make_ids_tokenizer(*vocabulary);
  throw data_error("the vocabulary of its token ids is '{}', not a number from 1 to {}",
                   excerpt(digits), kLargestIdVocabulary);
}

}  // namespace ballast::data
