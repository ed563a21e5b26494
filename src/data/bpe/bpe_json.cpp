#include "data/bpe/bpe_json.hpp"

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

/// Those of 256 k tokens have up to 34 MB.
constexpr std::size_t kLargestTokenizerJson = std::size_t{64} << 20;

/// The values of a vocabulary of 256 k tokens and 512 k merges take some 300 MiB.
constexpr JsonLimits kLimits{.depth = 16, .value_bytes = std::size_t{512} << 20};

void refuse_unless_empty(const JsonFields& fields, std::string_view name) {
  if (fields.is_null(name)) return;
  const Json& value = fields.value(name);
  if (value.is_string() && value.get_ref<const std::string&>().empty()) return;
  throw data_error("{} is not empty: tokens would be written in a way that is not supported",
                   fields.name_of(name));
}

/// The two texts of a merge, from "a b" or ["a", "b"].
std::pair<std::string_view, std::string_view> parts_of(const Json& merge, std::size_t rank) {
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t blank = text.find(' ');
    if (blank != std::string_view::npos && text.find(' ', blank + 1) == std::string_view::npos) {
      return {text.substr(0, blank), text.substr(blank + 1)};
    }
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  }
  throw data_error("merge {} of model.merges is not two pieces", rank);
}

}  // namespace

Json parse_tokenizer_json(std::string_view text) {
  if (text.size() > kLargestTokenizerJson) {
    throw data_error("it has {}, more than the {} that a tokenizer.json may have",
                     human_bytes(text.size()), human_bytes(kLargestTokenizerJson));
  }
  Json value = parse_json(text, kLimits);
  JsonFields{value, ""}.allow({"version", "truncation", "padding", "added_tokens", "normalizer",
                               "pre_tokenizer", "post_processor", "decoder", "model"});
  return value;
}

void require_supported_bpe(const JsonFields& fields) {
  fields.allow({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
  if (const std::string type = fields.text("type"); type != "BPE") {
    throw data_error("model.type is '{}', not BPE", excerpt(type));
  }
  if (!fields.is_null("dropout") && fields.value("dropout") != 0) {
    throw data_error("model.dropout is not null: the tokens of a text would be left to chance");
  }
  refuse_unless_empty(fields, "continuing_subword_prefix");
  refuse_unless_empty(fields, "end_of_word_suffix");
}

std::vector<Merge> read_merges(const JsonFields& fields, const Vocabulary& vocabulary) {
  std::vector<Merge> merges;
  const Json& list = fields.list("merges");
  merges.reserve(list.size());
  const auto id_of = [&](std::string_view piece) {
    if (const auto id = vocabulary.find(piece)) return *id;
    throw data_error("merge {} of model.merges names '{}', which model.vocab has not",
                     merges.size(), excerpt(piece));
  };
  std::string whole;
  for (const Json& merge : list) {
    const auto [left, right] = parts_of(merge, merges.size());
    whole = left;
    whole += right;
    merges.push_back({id_of(left), id_of(right), id_of(whole)});
  }
  return merges;
}

}  // namespace ballast::data
