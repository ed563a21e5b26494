#include "data/bpe/tokenizer_json.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "data/bpe/pre_tokenizer.hpp"

namespace ballast::data {

namespace {

Json byte_level(bool has_pattern) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", has_pattern}};
}

Json sequence(Json first, Json second) {
  return {{"type", "Sequence"},
          {"pretokenizers", Json::array({std::move(first), std::move(second)})}};
}

Json pre_tokenizer_json(const PreTokenizer& known) {
  if (known.rule.numbers == PieceRule::Numbers::cut_first) {
    return sequence({{"type", "Digits"}, {"individual_digits", true}}, byte_level(true));
  }
  if (known.pattern.empty()) return byte_level(true);
  return sequence({{"type", "Split"},
                   {"pattern", {{"Regex", known.pattern}}},
                   {"behavior", "Isolated"},
                   {"invert", false}},
                  byte_level(false));
}

/// Tokens before a text, by what the `tokenizers` package calls a template.
Json post_processor_json(const TokenizerContent& content, std::span<const std::int32_t> start) {
  if (start.empty()) return nullptr;
  Json single = Json::array();
  Json special = Json::object();
  for (const std::int32_t id : start) {
    const std::string& text = content.entries.at(static_cast<std::size_t>(id)).text;
    single.push_back({{"SpecialToken", {{"id", text}, {"type_id", 0}}}});
    special[text] = {{"id", text}, {"ids", Json::array({id})}, {"tokens", Json::array({text})}};
  }
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  Json pair = single;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

Json added_tokens_json(const TokenizerContent& content) {
  Json added = Json::array();
  for (std::size_t id = 0; id < content.entries.size(); ++id) {
    const VocabularyEntry& entry = content.entries[id];
    const bool is_special = entry.kind == PieceKind::control || entry.kind == PieceKind::unknown;
    if (!is_special && entry.kind != PieceKind::user_defined) continue;
    added.push_back({{"id", id},
                     {"content", entry.text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", is_special}});
  }
  return added;
}

/// Rows of an embedding that no token has are not among them. Built as a list: an object searches
/// all keys before the one that it takes in.
Json vocabulary_json(const TokenizerContent& content) {
  Json::object_t vocabulary;
  auto& members = static_cast<std::vector<Json::object_t::value_type>&>(vocabulary);
  for (std::size_t id = 0; id < content.entries.size(); ++id) {
    const VocabularyEntry& entry = content.entries[id];
    if (entry.kind != PieceKind::unused) members.emplace_back(entry.text, id);
  }
  return vocabulary;
}

const PreTokenizer& known_pre_tokenizer(std::string_view gguf_name) {
  const auto has_name = [&](const PreTokenizer& known) {
    return known.gguf_name == gguf_name || known.gguf_name_of_whole_pieces == gguf_name;
  };
  const auto known = known_pre_tokenizers();
  const auto found = std::ranges::find_if(known, has_name);
  if (!gguf_name.empty() && found != known.end()) return *found;
  throw data_error("its texts are cut as '{}', which is not known", excerpt(gguf_name));
}

}  // namespace

std::string tokenizer_json(const TokenizerContent& content, std::span<const std::int32_t> start) {
  const PreTokenizer& known = known_pre_tokenizer(content.pre_tokenizer);
  const bool normalizes = known.normalization == Normalization::nfc;
  Json merges = Json::array();
  for (const auto& merge : content.merges) merges.push_back(merge);
  const Json model{{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", known.gguf_name_of_whole_pieces == content.pre_tokenizer},
                   {"vocab", vocabulary_json(content)},
                   {"merges", merges}};
  const Json document{{"version", "1.0"},
                      {"truncation", nullptr},
                      {"padding", nullptr},
                      {"added_tokens", added_tokens_json(content)},
                      {"normalizer", normalizes ? Json{{"type", "NFC"}} : Json(nullptr)},
                      {"pre_tokenizer", pre_tokenizer_json(known)},
                      {"post_processor", post_processor_json(content, start)},
                      {"decoder", byte_level(true)},
                      {"model", model}};
  return document.dump(1) + "\n";
}

}  // namespace ballast::data
