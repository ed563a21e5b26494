#include "data/bpe/character_bpe_model.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "data/bpe/added_tokens_json.hpp"
#include "data/bpe/bpe_json.hpp"
#include "data/bpe/json_fields.hpp"
#include "data/bpe/vocabulary.hpp"

namespace ballast::data {

namespace {

bool is_on(const JsonFields& fields, std::string_view name) {
  return fields.has(name) && fields.boolean(name);
}

void require_byte_fallback(const JsonFields& fields) {
  require_supported_bpe(fields);
  if (!is_on(fields, "byte_fallback")) {
    throw data_error("model.byte_fallback is not true: it cannot write every text");
  }
  if (is_on(fields, "ignore_merges")) {
    throw data_error("model.ignore_merges is true: that is not supported where spaces are marked");
  }
  // With a token for every byte, no text is unknown, so that unk_token and fuse_unk say nothing.
}

std::array<std::int32_t, 256> read_byte_tokens(const Vocabulary& vocabulary) {
  std::array<std::int32_t, 256> tokens{};
  for (std::size_t byte = 0; byte < tokens.size(); ++byte) {
    const std::string piece = fmt::format("<0x{:02X}>", byte);
    const auto token = vocabulary.find(piece);
    if (!token) throw data_error("model.vocab has no '{}': it cannot write every text", piece);
    tokens[byte] = *token;
  }
  return tokens;
}

/// Bytes stand for parts of characters; were they merged, a text might be cut in one.
void require_bytes_apart(const CharacterBpeModel& model) {
  const auto is_byte = [&](std::int32_t token) {
    return std::ranges::find(model.byte_tokens, token) != model.byte_tokens.end();
  };
  for (std::size_t rank = 0; rank < model.merges.size(); ++rank) {
    const auto& [left, right, whole] = model.merges[rank];
    if (is_byte(left) || is_byte(right) || is_byte(whole)) {
      throw data_error("merge {} of model.merges has a token of a byte", rank);
    }
  }
}

}  // namespace

bool is_character_bpe(const Json& json) {
  const JsonFields document{json, ""};
  return is_on(document.object("model"), "byte_fallback");
}

CharacterBpeModel read_character_bpe_model(std::string_view json) {
  return character_bpe_model_of(parse_tokenizer_json(json));
}

CharacterBpeModel character_bpe_model_of(const Json& json) {
  const JsonFields document{json, ""};
  const JsonFields fields = document.object("model");
  require_byte_fallback(fields);
  CharacterBpeModel model;
  model.spaces = read_space_marks(document);
  model.first_space = read_first_space(document);
  Vocabulary vocabulary{fields};
  model.byte_tokens = read_byte_tokens(vocabulary);
  model.merges = read_merges(fields, vocabulary);
  require_bytes_apart(model);
  model.added_tokens = read_added_tokens(document, vocabulary);
  model.pieces = vocabulary.take_pieces();
  for (const std::int32_t token : model.byte_tokens) {
    model.pieces[static_cast<std::size_t>(token)].kind = PieceKind::byte;
  }
  model.around = read_around_text(document, model.pieces.size());
  return model;
}

}  // namespace ballast::data
