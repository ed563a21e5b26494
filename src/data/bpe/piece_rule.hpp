#pragma once

namespace ballast::data {

/// How a pre-tokenizer cuts a text into pieces, within which tokens are merged. The known ones are
/// patterns of one make, in this order of alternatives: contraction | word | number | others |
/// blanks; a rule says what each of them takes.
struct PieceRule {
  /// 's 't 're 've 'm 'll 'd as pieces of their own.
  enum class Contractions {
    lower_case,  ///< 's|'t|...
    any_case,    ///< (?i:'s|'t|...): also U+017F for s
    of_a_word,   ///< (?i:'s|'t|...)? at the end of a word
    none
  };
  /// What a word may take in before its letters.
  enum class Before {
    space,        ///< one U+0020
    no_line_end,  ///< any one character but \r, \n, \p{L}, \p{N}
  };
  enum class Letters {
    plain,       ///< \p{L}+
    with_marks,  ///< [\p{L}\p{M}]+
    by_case,     ///< [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ or first+ second*
  };
  enum class Numbers {
    runs,       ///< a space, if there is one, and \p{N}+
    threes,     ///< \p{N}{1,3}
    single,     ///< \p{N}
    cut_first,  ///< each digit is cut out before the pattern sees the text: it ends there
  };
  /// What others, " ?[^\s\p{L}\p{N}]+", take in behind.
  enum class Behind {
    nothing,
    line_ends,             ///< [\r\n]*
    line_ends_and_slashes  ///< [\r\n/]*
  };
  /// "\s+(?!\S)|\s+": the last blank before something else is left to it.
  enum class Blanks {
    alike,
    line_ends_first  ///< "\s*[\r\n]+" comes before: blanks up to the last line's end
  };

  Contractions contractions;
  Before before;
  Letters letters;
  Numbers numbers;
  Behind behind;
  Blanks blanks;
};

}  // namespace ballast::data
