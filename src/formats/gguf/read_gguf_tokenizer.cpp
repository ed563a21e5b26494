#include <algorithm>
#include <unordered_set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "data/bpe/piece.hpp"
#include "data/bpe/tokenizer_json.hpp"
#include "data/tokenizers/sentencepiece_model.hpp"
#include "data/unicode/utf8.hpp"
#include "formats/gguf/gguf_file.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"

namespace ballast::formats {

namespace {

using data::PieceKind;
using data::TokenizerContent;
using data::TokenizerKind;

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kKinds = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";
constexpr const char* kMerges = "tokenizer.ggml.merges";
constexpr const char* kChatTemplate = "tokenizer.chat_template";

/// Several may give the same token: Llama 3 has twice as many of them as tokens.
constexpr std::size_t kMostMerges = 4 * data::kLargestBpeVocabulary;

/// A list of this type; null if the key is absent.
template <class Element>
const std::vector<Element>* list_at(const GgufKeys& keys, const char* key) {
  const GgufValue* value = keys.find(key);
  if (value == nullptr) return nullptr;
  const auto* array = std::get_if<GgufArray>(value);
  const auto* list = array == nullptr ? nullptr : std::get_if<std::vector<Element>>(array);
  if (list == nullptr) keys.refuse(key, "is no list of the right type");
  return list;
}

template <class Element>
const std::vector<Element>* list_of_size(const GgufKeys& keys, const char* key, std::size_t size) {
  const auto* list = list_at<Element>(keys, key);
  if (list != nullptr && list->size() != size) {
    keys.refuse(key, fmt::format("has {} elements for {} tokens", list->size(), size));
  }
  return list;
}

/// The files of a tokenizer are JSON, which is UTF-8.
void require_utf8_at(const GgufKeys& keys, const char* key, const std::string& text) {
  if (data::check_utf8(text).valid == text.size()) return;
  keys.refuse(key, fmt::format("holds '{}', which is not UTF-8", excerpt(text)));
}

/// A list of at most so many texts; null if the key is absent.
const std::vector<std::string>* texts_at(const GgufKeys& keys, const char* key, std::size_t most) {
  const auto* texts = list_at<std::string>(keys, key);
  if (texts == nullptr) return nullptr;
  if (texts->size() > most) {
    keys.refuse(key, fmt::format("has {} elements; at most {} are read", texts->size(), most));
  }
  for (const std::string& text : *texts) require_utf8_at(keys, key, text);
  return texts;
}

PieceKind kind_of(const GgufKeys& keys, std::int32_t number) {
  if (number < 1 || number > 6) keys.refuse(kKinds, fmt::format("has the kind {}", number));
  return static_cast<PieceKind>(number - 1);
}

std::vector<data::VocabularyEntry> entries_of(const GgufKeys& keys) {
  const auto* tokens = texts_at(keys, kTokens, data::kLargestBpeVocabulary);
  if (tokens == nullptr) keys.refuse(kTokens, "is missing");
  const auto* kinds = list_of_size<std::int32_t>(keys, kKinds, tokens->size());
  const auto* scores = list_of_size<float>(keys, kScores, tokens->size());
  std::vector<data::VocabularyEntry> entries;
  std::unordered_set<std::string_view> seen;
  for (std::size_t id = 0; id < tokens->size(); ++id) {
    entries.push_back({(*tokens)[id],
                       kinds == nullptr ? PieceKind::normal : kind_of(keys, (*kinds)[id]),
                       scores == nullptr ? 0.0f : (*scores)[id]});
    if (!seen.insert((*tokens)[id]).second) {
      keys.refuse(kTokens, fmt::format("has '{}' twice", excerpt((*tokens)[id])));
    }
  }
  while (!entries.empty() && entries.back().kind == PieceKind::unused) entries.pop_back();
  return entries;
}

/// What the lists leave open of a tokenizer's use.
struct Use {
  std::int32_t bos = -1, eos = -1, unknown = -1, pad = -1;
  bool adds_bos = false;
};

Use use_of(const GgufKeys& keys, std::size_t vocabulary, bool adds_bos_by_default) {
  const auto id = [&](const char* name) {
    const std::string key = fmt::format("tokenizer.ggml.{}_token_id", name);
    const auto found = keys.id(key);
    if (found && static_cast<std::size_t>(*found) >= vocabulary) {
      keys.refuse(key, fmt::format("is {} of {} tokens", *found, vocabulary));
    }
    return found.value_or(-1);
  };
  return {.bos = id("bos"),
          .eos = id("eos"),
          .unknown = id("unknown"),
          .pad = id("padding"),
          .adds_bos = keys.boolean("tokenizer.ggml.add_bos_token", adds_bos_by_default)};
}

std::string config_json(const GgufKeys& keys, const std::vector<data::VocabularyEntry>& entries,
                        const Use& use, bool is_bpe) {
  Json config{{"tokenizer_class", is_bpe ? "PreTrainedTokenizerFast" : "LlamaTokenizer"}};
  const auto name = [&](const char* key, std::int32_t id) {
    if (id >= 0) config[key] = entries[static_cast<std::size_t>(id)].text;
  };
  name("bos_token", use.bos);
  name("eos_token", use.eos);
  name("unk_token", use.unknown);
  name("pad_token", use.pad);
  config["add_bos_token"] = use.adds_bos;
  config["clean_up_tokenization_spaces"] = false;
  const std::string chat = keys.text(kChatTemplate, "");
  require_utf8_at(keys, kChatTemplate, chat);
  if (!chat.empty()) config["chat_template"] = chat;
  return config.dump(2) + "\n";
}

data::TokenizerFiles byte_level_files(const GgufKeys& keys) {
  TokenizerContent content{.kind = TokenizerKind::byte_level_bpe,
                           .pre_tokenizer = keys.text("tokenizer.ggml.pre", ""),
                           .entries = entries_of(keys)};
  const auto* merges = texts_at(keys, kMerges, kMostMerges);
  if (merges == nullptr) keys.refuse(kMerges, "is missing");
  const bool has_merges = merges->size() > 1 || content.entries.size() != 259;
  if (has_merges) content.merges = *merges;  // else those of bytes, which stand for none
  const Use use = use_of(keys, content.entries.size(), content.pre_tokenizer == "llama-bpe");
  std::vector<std::int32_t> start;
  if (use.adds_bos && use.bos >= 0) start = {use.bos};
  return {{data::kTokenizerJsonName,
           with_context(keys.place("tokenizer.ggml.pre"),
                        [&] { return data::tokenizer_json(content, start); })},
          {data::kTokenizerConfigName, config_json(keys, content.entries, use, true)}};
}

data::TokenizerFiles sentencepiece_files(const GgufKeys& keys) {
  const data::SentencePieceModel model{
      .pieces = entries_of(keys),
      .kind = TokenizerKind::sentencepiece_bpe,
      .adds_space_prefix = keys.boolean("tokenizer.ggml.add_space_prefix", true)};
  const Use use = use_of(keys, model.pieces.size(), true);
  const auto bytes = data::sentencepiece_model_bytes(model, {use.unknown, use.bos, use.eos});
  return {{data::kSentencePieceName, std::string{bytes.begin(), bytes.end()}},
          {data::kTokenizerConfigName, config_json(keys, model.pieces, use, false)}};
}

}  // namespace

data::TokenizerFiles gguf_tokenizer_files(const GgufKeys& keys) {
  constexpr const char* kModel = "tokenizer.ggml.model";
  const std::string model = keys.text(kModel, "no_vocab");
  if (model == "no_vocab" || model == "none") return {};
  if (model == "gpt2") return byte_level_files(keys);
  if (model == "llama") return sentencepiece_files(keys);
  keys.refuse(kModel, fmt::format("is '{}'; known are gpt2 and llama", excerpt(model)));
}

data::TokenizerFiles tokenizer_files_at(const std::filesystem::path& path) {
  if (!is_gguf_file(path)) return data::read_tokenizer_files(path);
  const GgufFile file{path};
  auto files = gguf_tokenizer_files({file.path(), file.metadata()});
  if (!files.empty()) return files;
  throw data_error(
      "this GGUF file holds no tokenizer: name one that does, or a tokenizer's folder");
}

}  // namespace ballast::formats
