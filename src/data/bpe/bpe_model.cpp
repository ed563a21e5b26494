#include "data/bpe/bpe_model.hpp"

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/bpe/added_tokens_json.hpp"
#include "data/bpe/bpe_json.hpp"
#include "data/bpe/byte_map.hpp"
#include "data/bpe/json_fields.hpp"
#include "data/bpe/vocabulary.hpp"

namespace ballast::data {

namespace {

void require_plain_bpe(const JsonFields& fields) {
  require_supported_bpe(fields);
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

BpeModel read_bpe_model(std::string_view json) { return bpe_model_of(parse_tokenizer_json(json)); }

BpeModel bpe_model_of(const Json& json) {
  const JsonFields document{json, ""};
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
