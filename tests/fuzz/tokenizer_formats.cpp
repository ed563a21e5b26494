#include "fuzz/tokenizer_formats.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "data/bpe/bpe_json.hpp"
#include "data/bpe/bpe_tokenizer.hpp"
#include "data/bpe/character_bpe.hpp"
#include "data/tokenizers/byte_tokenizer_files.hpp"
#include "data/tokenizers/chat_template.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"
#include "formats/huggingface/special_tokens.hpp"

#include "fuzz/scratch.hpp"

namespace ballast::fuzz {

namespace {

using Input = std::span<const std::uint8_t>;

constexpr std::string_view kText =
    "It's <|end|>  12 a\u0301 \u4e2d\u2581 <wide> \n\nword HTTP In the beginning\n\tGod \xff\u00e9";

std::string text_of(Input input) { return {input.begin(), input.end()}; }

/// Every id that a tokenizer gives is one of its vocabulary.
void use(const data::Tokenizer& tokenizer) {
  const auto ids = tokenizer.encode_prompt(kText);
  for (const std::int32_t id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.vocabulary()) {
      throw std::logic_error{"a token is beyond the vocabulary"};
    }
  }
  (void)tokenizer.decode(ids);
}

void use_files(const data::TokenizerFiles& files) {
  (void)data::recognize_chat_format(data::chat_template_of(files));
  use(*data::make_huggingface_tokenizer(files));
}

}  // namespace

void read_sentencepiece(Input input) { use(*data::make_tokenizer("sentencepiece", input)); }

void read_published_sentencepiece(Input input) {
  use_files({{data::kSentencePieceName, text_of(input)}});
}

void read_tokenizer_json(Input input) {
  const std::string text = text_of(input);
  if (data::is_character_bpe(data::parse_tokenizer_json(text))) {
    data::CharacterBpe tokenizer{data::read_character_bpe_model(text)};
    (void)tokenizer.decode(tokenizer.encode(kText));
  } else {
    data::BpeTokenizer tokenizer{data::read_bpe_model(text)};
    (void)tokenizer.decode(tokenizer.encode(kText));
  }
}

void read_packed_tokenizer(Input input) {
  const auto files = data::unpack_tokenizer_files(input);
  if (data::unpack_tokenizer_files(data::pack(files)) != files) {
    throw std::logic_error{"what was packed is read as other files"};
  }
  use_files(files);
}

void read_tokenizer_config(Input input) {
  static const Scratch scratch;
  // A vocabulary of bytes, by rules that are not quite those of our own byte tokenizer.
  static const std::string rules = data::byte_tokenizer_files().at(data::kTokenizerJsonName) + " ";
  for (const char* name :
       {data::kTokenizerConfigName, data::kSpecialTokensName, data::kGenerationConfigName,
        "chat_template.json", "chat_template.jinja"}) {
    try {
      use_files({{data::kTokenizerJsonName, rules}, {name, text_of(input)}});
    } catch (const Error&) {
    }
  }
  scratch.write("config.json", input);
  (void)formats::read_special_tokens(scratch.path(), 256);
}

void read_gguf_tokenizer(Input input) {
  static const Scratch scratch;
  const formats::GgufFile file{scratch.write("a.gguf", input)};
  const auto files = formats::gguf_tokenizer_files({file.path(), file.metadata()});
  if (files.empty()) return;
  use_files(files);
  const auto tokenizer = data::make_huggingface_tokenizer(files);
  (void)formats::gguf_tokenizer_keys(*tokenizer, {.rows = tokenizer->vocabulary() + 1,
                                                  .special = {},
                                                  .chat_template = data::chat_template_of(files)});
}

}  // namespace ballast::fuzz
