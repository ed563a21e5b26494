#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "data/bpe/added_tokens.hpp"
#include "data/bpe/around_text.hpp"
#include "data/bpe/merges.hpp"
#include "data/bpe/piece.hpp"
#include "data/bpe/space_marks.hpp"

namespace ballast::data {

/// BPE over characters, as SentencePiece trains it and a tokenizer.json describes it (Llama 2,
/// Mistral, Gemma): a character without a token of its own is written as its bytes, "<0xE2>".
struct CharacterBpeModel {
  std::vector<Piece> pieces;  ///< by id; spaces are U+2581
  std::vector<Merge> merges;  ///< by rank
  std::array<std::int32_t, 256> byte_tokens{};
  SpaceMarks spaces;
  FirstSpace first_space = FirstSpace::stays;
  std::vector<AddedToken> added_tokens;
  AroundText around;
};

/// Whether a tokenizer.json has a model of this kind (`byte_fallback`); what is wrong with it is
/// for its reader to say.
[[nodiscard]] bool is_character_bpe(const Json& json);

/// Reads the text of a tokenizer.json; otherwise as read_bpe_model.
[[nodiscard]] CharacterBpeModel read_character_bpe_model(std::string_view json);
/// The same of what parse_tokenizer_json made of it.
[[nodiscard]] CharacterBpeModel character_bpe_model_of(const Json& json);

}  // namespace ballast::data
