#include <algorithm>
#include <unordered_set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"

namespace ballast::formats {

namespace {

using data::PieceKind;
using data::TokenizerContent;
using data::TokenizerKind;

/// llama.cpp wants a merge: that of two zero bytes, whose whole is no token, does no more than drop
/// them.
constexpr const char* kNoMerge = "\xC4\x80 \xC4\x80";

constexpr float kScoreOfUnused = -10'000.0f;

std::int32_t number_of(PieceKind kind) { return static_cast<std::int32_t>(kind) + 1; }

/// The lists with an element a row.
struct Lists {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> kinds;
  std::vector<float> scores;
};

Lists lists_of(const TokenizerContent& content, std::size_t rows) {
  if (content.entries.size() > rows) {
    throw data_error("the tokenizer has {} tokens, the model {} rows for them",
                     content.entries.size(), rows);
  }
  Lists lists;
  for (std::size_t id = 0; id < rows; ++id) {
    const bool is_token =
        id < content.entries.size() && content.entries[id].kind != PieceKind::unused;
    const auto entry = is_token ? content.entries[id]
                                : data::VocabularyEntry{fmt::format("[PAD{}]", id),
                                                        PieceKind::unused, kScoreOfUnused};
    lists.tokens.push_back(entry.text);
    lists.kinds.push_back(number_of(entry.kind));
    lists.scores.push_back(entry.score);
  }
  std::unordered_set<std::string_view> seen;
  for (const std::string& token : lists.tokens) {
    if (seen.insert(token).second) continue;
    throw data_error("two tokens are written '{}', which a GGUF file cannot hold", excerpt(token));
  }
  return lists;
}

std::string_view model_name(const TokenizerContent& content) {
  switch (content.kind) {
    case TokenizerKind::byte_level_bpe:
      return "gpt2";
    case TokenizerKind::sentencepiece_bpe:
      return "llama";
    case TokenizerKind::unigram:
      break;
  }
  throw usage_error(
      "a unigram tokenizer has no counterpart in llama.cpp's models: export with --format hf");
}

/// Whether prompts begin with <bos>.
bool adds_bos(const data::Tokenizer& tokenizer) {
  const auto start = tokenizer.prompt_start();
  if (start.empty()) return false;
  if (start.size() == 1 && start[0] == tokenizer.bos()) return true;
  throw usage_error(
      "prompts of this tokenizer begin with {} tokens, of which a GGUF file can say <bos> only: "
      "export with --format hf",
      start.size());
}

std::int32_t first_of_kind(const TokenizerContent& content, PieceKind kind) {
  const auto found = std::ranges::find(content.entries, kind, &data::VocabularyEntry::kind);
  return found == content.entries.end()
             ? -1
             : static_cast<std::int32_t>(found - content.entries.begin());
}

void add_id(GgufMetadata& keys, std::string_view name, std::int32_t id) {
  if (id < 0) return;
  keys.push_back({fmt::format("tokenizer.ggml.{}_token_id", name), static_cast<std::uint32_t>(id)});
}

/// Without them, llama.cpp takes token 11 for both.
void add_ids(GgufMetadata& keys, const data::Tokenizer& tokenizer, const TokenizerContent& content,
             const SpecialTokens& special) {
  std::int32_t bos = tokenizer.bos() >= 0 ? tokenizer.bos() : special.bos.value_or(-1);
  std::int32_t eos = tokenizer.eos();
  if (eos < 0 && !special.eos.empty()) eos = special.eos.front();
  if (eos < 0) eos = bos >= 0 ? bos : first_of_kind(content, PieceKind::control);
  if (bos < 0) bos = eos;
  add_id(keys, "bos", bos);
  add_id(keys, "eos", eos);
  add_id(keys, "unknown", first_of_kind(content, PieceKind::unknown));
  add_id(keys, "padding", special.pad.value_or(-1));
}

}  // namespace

GgufMetadata gguf_tokenizer_keys(const data::Tokenizer& tokenizer, const GgufTokenizerUse& use) {
  const auto content = tokenizer.content();
  if (!content) throw usage_error("token ids alone make no tokenizer for a GGUF file");
  GgufMetadata keys{{"tokenizer.ggml.model", std::string{model_name(*content)}}};
  Lists lists = lists_of(*content, use.rows);
  const bool is_bpe = content->kind == TokenizerKind::byte_level_bpe;
  if (is_bpe) {
    if (content->pre_tokenizer.empty()) {
      throw usage_error(
          "llama.cpp has no name for how this tokenizer cuts texts: export with --format hf");
    }
    keys.push_back({"tokenizer.ggml.pre", content->pre_tokenizer});
  }
  keys.push_back({"tokenizer.ggml.tokens", GgufArray{std::move(lists.tokens)}});
  if (!is_bpe) keys.push_back({"tokenizer.ggml.scores", GgufArray{std::move(lists.scores)}});
  keys.push_back({"tokenizer.ggml.token_type", GgufArray{std::move(lists.kinds)}});
  if (is_bpe) {
    auto merges = content->merges;
    if (merges.empty()) merges.emplace_back(kNoMerge);
    keys.push_back({"tokenizer.ggml.merges", GgufArray{std::move(merges)}});
  }
  add_ids(keys, tokenizer, *content, use.special);
  keys.push_back({"tokenizer.ggml.add_bos_token", adds_bos(tokenizer)});
  keys.push_back({"tokenizer.ggml.add_eos_token", false});
  if (!is_bpe) {
    keys.push_back({"tokenizer.ggml.add_space_prefix", content->adds_space_prefix});
  }
  if (!use.chat_template.empty()) {
    keys.push_back({"tokenizer.chat_template", use.chat_template});
  }
  return keys;
}

}  // namespace ballast::formats
