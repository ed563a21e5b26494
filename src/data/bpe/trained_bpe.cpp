#include "data/bpe/trained_bpe.hpp"

#include "base/json.hpp"

namespace ballast::data {

namespace {

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

Json added_token(std::string_view content, std::size_t id) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

Json pre_tokenizer_json(const PreTokenizer& pre_tokenizer) {
  const Json split{{"type", "Split"},
                   {"pattern", {{"Regex", pre_tokenizer.pattern}}},
                   {"behavior", "Isolated"},
                   {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level(false)})}};
}

Json text_part() { return {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}; }

/// <|begin_of_text|> before one text, and before each of two.
Json post_processor_json(std::size_t begin_id) {
  const Json begin{{"SpecialToken", {{"id", kBeginOfText}, {"type_id", 0}}}};
  const Json second_begin{{"SpecialToken", {{"id", kBeginOfText}, {"type_id", 1}}}};
  const Json second{{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const Json special{{"id", kBeginOfText},
                     {"ids", Json::array({begin_id})},
                     {"tokens", Json::array({kBeginOfText})}};
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({begin, text_part()})},
          {"pair", Json::array({begin, text_part(), second_begin, second})},
          {"special_tokens", {{std::string{kBeginOfText}, special}}}};
}

Json model_json(const TrainedBpe& trained) {
  // Built as a list: an object searches all keys before the one that it takes in.
  Json::object_t vocabulary;
  auto& members = static_cast<std::vector<Json::object_t::value_type>&>(vocabulary);
  for (std::size_t id = 0; id < trained.pieces.size(); ++id) {
    members.emplace_back(trained.pieces[id], id);
  }
  Json merges = Json::array();
  for (const Merge& merge : trained.merges) {
    merges.push_back(Json::array({trained.pieces[static_cast<std::size_t>(merge.left)],
                                  trained.pieces[static_cast<std::size_t>(merge.right)]}));
  }
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", true},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)}};
}

}  // namespace

std::string json_of(const TrainedBpe& trained, const PreTokenizer& pre_tokenizer) {
  const std::size_t begin_id = trained.pieces.size();
  const Json document{{"version", "1.0"},
                      {"truncation", nullptr},
                      {"padding", nullptr},
                      {"added_tokens", Json::array({added_token(kBeginOfText, begin_id),
                                                    added_token(kEndOfText, begin_id + 1)})},
                      {"normalizer", nullptr},
                      {"pre_tokenizer", pre_tokenizer_json(pre_tokenizer)},
                      {"post_processor", post_processor_json(begin_id)},
                      {"decoder", byte_level(true)},
                      {"model", model_json(trained)}};
  return document.dump(1) + "\n";
}

}  // namespace ballast::data
