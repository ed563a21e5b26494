#include "data/bpe/bpe_model.hpp"

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/bpe/added_tokens_json.hpp"
#include "data/bpe/byte_map.hpp"
#include "data/bpe/json_fields.hpp"
#include "data/bpe/vocabulary.hpp"

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

void require_plain_bpe(const JsonFields& fields) {
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
  if (fields.has("byte_fallback") && fields.boolean("byte_fallback")) {
    throw data_error("model.byte_fallback is true: this is not a byte-level tokenizer");
  }
}

Normalization read_normalization(const JsonFields& document) {
  if (document.is_null("normalizer")) return Normalization::none;
  const JsonFields fields = document.object("normalizer");
  if (const std::string type = fields.text("type"); type != "NFC") {
    throw data_error("its normalizer of type '{}' is not known; known are null and NFC",
                     excerpt(type));
  }
  fields.allow({"type"});
  return Normalization::nfc;
}

void require_byte_level_decoder(const JsonFields& document) {
  const JsonFields fields = document.object("decoder");
  if (const std::string type = fields.text("type"); type != "ByteLevel") {
    throw data_error("its decoder of type '{}' is not known; known is ByteLevel", excerpt(type));
  }
  fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});
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

TokenOfMissingByte read_missing_byte(const JsonFields& fields, const Vocabulary& vocabulary) {
  if (fields.is_null("unk_token")) return std::nullopt;
  if (fields.has("fuse_unk") && fields.boolean("fuse_unk")) {
    throw data_error("model.fuse_unk is true: that is not supported");
  }
  const std::string piece = fields.text("unk_token");
  if (const auto id = vocabulary.find(piece)) return id;
  throw data_error("model.unk_token is '{}', which model.vocab has not", excerpt(piece));
}

}  // namespace

BpeModel read_bpe_model(std::string_view json) {
  if (json.size() > kLargestTokenizerJson) {
    throw data_error("it has {}, more than the {} that a tokenizer.json may have",
                     human_bytes(json.size()), human_bytes(kLargestTokenizerJson));
  }
  const Json value = parse_json(json, kLimits);
  const JsonFields document{value, ""};
  document.allow({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                  "post_processor", "decoder", "model"});
  const JsonFields fields = document.object("model");
  require_plain_bpe(fields);
  BpeModel model;
  model.pre_tokenizer = &read_pre_tokenizer(document.value("pre_tokenizer"));
  model.normalization = read_normalization(document);
  require_byte_level_decoder(document);
  const bool takes_whole = fields.has("ignore_merges") && fields.boolean("ignore_merges");
  model.whole_pieces = takes_whole ? WholePieces::taken : WholePieces::merged;

  Vocabulary vocabulary{fields};
  model.missing_byte = read_missing_byte(fields, vocabulary);
  model.merges = read_merges(fields, vocabulary);
  model.added_tokens = read_added_tokens(document, vocabulary);
  model.pieces = vocabulary.take_pieces();
  model.around = read_around_text(document, model.pieces.size());
  return model;
}

}  // namespace ballast::data
