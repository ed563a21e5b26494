#pragma once

#include <span>
#include <string_view>

#include "base/json.hpp"
#include "data/bpe/piece_rule.hpp"

namespace ballast::data {

enum class Normalization { none, nfc };

/// A pre-tokenizer of open models that is known: what a tokenizer.json writes of it, and how it
/// cuts. The list is closed: another one is refused, since one that is nearly the same gives other
/// tokens.
struct PreTokenizer {
  std::string_view name;
  /// The regular expression of its Split, as the file has it; empty: ByteLevel's own, GPT-2's.
  std::string_view pattern;
  PieceRule rule;
  /// What the models that use it do with a text before; files say so by themselves.
  Normalization normalization;
  /// `tokenizer.ggml.pre` of a GGUF file; empty: it has none.
  std::string_view gguf_name;
  /// The same where whole pieces are taken before merges are tried (`ignore_merges`).
  std::string_view gguf_name_of_whole_pieces;
};

[[nodiscard]] std::span<const PreTokenizer> known_pre_tokenizers();

/// The one that `pre_tokenizer` of a tokenizer.json describes. Throws a data Error that names what
/// is not known in it and the list of those that are.
[[nodiscard]] const PreTokenizer& read_pre_tokenizer(const Json& value);

}  // namespace ballast::data
