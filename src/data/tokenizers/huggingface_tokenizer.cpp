#include "data/tokenizers/huggingface_tokenizer.hpp"

#include "base/error.hpp"
#include "data/tokenizers/byte_tokenizer_files.hpp"
#include "data/tokenizers/special_roles.hpp"

namespace ballast::data {

namespace {

std::unique_ptr<Tokenizer> make_engine(const TokenizerFiles& files) {
  if (const auto json = files.find(kTokenizerJsonName); json != files.end()) {
    return with_context(kTokenizerJsonName, [&] { return make_json_tokenizer(json->second); });
  }
  if (const auto model = files.find(kSentencePieceName); model != files.end()) {
    return with_context(kSentencePieceName, [&] {
      return make_published_sentencepiece(
          std::vector<std::uint8_t>{model->second.begin(), model->second.end()});
    });
  }
  throw data_error("its files hold neither {} nor {}", kTokenizerJsonName, kSentencePieceName);
}

/// What computes the tokens, and what its folder says of their roles.
class HuggingFaceTokenizer final : public Tokenizer {
 public:
  explicit HuggingFaceTokenizer(const TokenizerFiles& files)
      : engine_{make_engine(files)},
        model_{std::make_shared<const std::vector<std::uint8_t>>(pack(files))} {
    const auto content = engine_->content();
    roles_ = special_roles(files, content->entries);
    if (roles_.bos < 0) roles_.bos = engine_->bos();
    if (roles_.eos < 0) roles_.eos = engine_->eos();
    const bool has_rules = files.contains(kTokenizerJsonName);
    if (has_rules) {
      start_.assign(engine_->prompt_start().begin(), engine_->prompt_start().end());
    } else if (roles_.bos >= 0 && tokenizer_flag(files, "add_bos_token", true)) {
      start_ = {roles_.bos};
    }
  }

  HuggingFaceTokenizer(const HuggingFaceTokenizer& other)
      : engine_{other.engine_->twin()},
        model_{other.model_},
        roles_{other.roles_},
        start_{other.start_} {}

  [[nodiscard]] std::string name() const override { return std::string{kHuggingFaceTokenizer}; }
  [[nodiscard]] std::size_t vocabulary() const override { return engine_->vocabulary(); }
  [[nodiscard]] std::unique_ptr<Tokenizer> twin() const override {
    return std::make_unique<HuggingFaceTokenizer>(*this);
  }
  [[nodiscard]] std::vector<std::int32_t> encode_part(std::string_view text,
                                                      TextPart part) const override {
    return engine_->encode_part(text, part);
  }
  [[nodiscard]] std::size_t cut(std::string_view text) const override { return engine_->cut(text); }
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids) const override {
    return engine_->decode(ids);
  }
  [[nodiscard]] std::size_t piece_bytes(std::int32_t id) const override {
    return engine_->piece_bytes(id);
  }
  [[nodiscard]] std::int32_t bos() const override { return roles_.bos; }
  [[nodiscard]] std::int32_t eos() const override { return roles_.eos; }
  [[nodiscard]] std::span<const std::int32_t> prompt_start() const override { return start_; }
  [[nodiscard]] std::vector<std::uint8_t> model() const override { return *model_; }
  /// Not how it is used in chats.
  [[nodiscard]] std::vector<std::uint8_t> rules() const override { return engine_->model(); }
  [[nodiscard]] std::optional<TokenizerContent> content() const override {
    return engine_->content();
  }

 private:
  std::unique_ptr<Tokenizer> engine_;
  std::shared_ptr<const std::vector<std::uint8_t>> model_;
  SpecialRoles roles_;
  std::vector<std::int32_t> start_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_huggingface_tokenizer(const TokenizerFiles& files) {
  const bool is_of_bytes = rules_in(files) == rules_in(byte_tokenizer_files());
  if (is_of_bytes) return make_byte_tokenizer();
  return std::make_unique<HuggingFaceTokenizer>(files);
}

}  // namespace ballast::data
