#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "data/bpe/piece_rule.hpp"
#include "data/unicode/character_class.hpp"

namespace ballast::data {

/// Cuts text into pieces as the regular expression of a pre-tokenizer does, without one: no input
/// makes it go back further than a word, so time is in proportion to the text.
class PieceScanner {
 public:
  explicit PieceScanner(const PieceRule& rule);

  /// Where the piece that begins at byte `at` ends. `text` is well-formed UTF-8 and `at` is the
  /// start of a character in it. The whole text matters: blanks at its end stay together.
  [[nodiscard]] std::size_t piece_end(std::string_view text, std::size_t at) const;

 private:
  /// The character at `at`; size 0 where the text that the pattern sees ends.
  [[nodiscard]] Character look(std::string_view text, std::size_t at) const;
  /// Past the characters from `at` whose classes meet `any_of`.
  [[nodiscard]] std::size_t run_end(std::string_view text, std::size_t at, unsigned any_of) const;
  /// These return `at` where their alternative does not match.
  [[nodiscard]] std::size_t contraction_end(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t word_end(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t cased_end(std::string_view text, std::size_t at,
                                      std::size_t letters) const;
  [[nodiscard]] std::optional<std::size_t> lower_end(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t upper_end(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t number_end(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t others_end(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::size_t blanks_end(std::string_view text, std::size_t at) const;

  PieceRule rule_;
  const CharacterClasses& classes_;
  unsigned word_classes_;    ///< of the letters of a word
  unsigned others_exclude_;  ///< what others_end does not take
};

}  // namespace ballast::data
