#pragma once

#include <string>
#include <string_view>

#include "data/bpe/json_fields.hpp"

namespace ballast::data {

/// How a tokenizer of SentencePiece's make writes spaces: each becomes the mark U+2581, and one
/// mark more may come before a text. A stretch is what lies between added tokens.
struct SpaceMarks {
  enum class Before {
    nothing,
    first_stretch,  ///< where the text begins, unless with a space
    each_stretch,   ///< unless it begins with a space
    each_always     ///< the normalizer Prepend
  };
  enum class Pieces {
    whole,    ///< tokens may reach over spaces
    at_marks  ///< each mark begins a piece, within which tokens are merged
  };

  /// Added tokens of normalized text are looked for in between the two.
  enum class WrittenBy { normalizer, pre_tokenizer };

  WrittenBy written_by = WrittenBy::normalizer;
  Before before = Before::nothing;
  Pieces pieces = Pieces::whole;
};

inline constexpr std::string_view kSpaceMark = "\u2581";
inline constexpr char32_t kSpaceMarkCode = U'\u2581';

/// From `normalizer` and `pre_tokenizer` of a tokenizer.json. Known are the normalizers Prepend and
/// Replace, and the pre-tokenizer Metaspace or one that finds no space any more. Throws a data
/// Error that names what is not known.
[[nodiscard]] SpaceMarks read_space_marks(const JsonFields& document);

/// Whether decoding takes the space before a text away: `decoder` of a tokenizer.json, a Sequence
/// of Replace, ByteFallback, Fuse and, if it does, Strip; or Metaspace's. Throws a data Error that
/// names another one.
enum class FirstSpace { stays, is_taken_away };
[[nodiscard]] FirstSpace read_first_space(const JsonFields& document);

/// Writes a mark for each space.
[[nodiscard]] std::string mark_spaces(std::string_view text);
/// Writes a space for each mark.
[[nodiscard]] std::string unmark_spaces(std::string_view text);

}  // namespace ballast::data
