#pragma once

#include <cstdint>
#include <span>

namespace ballast::data {

/// The canonical decomposition of a code point into one or two, by one step (Unicode, UAX 44,
/// Decomposition_Mapping). Hangul syllables, which have a formula, are not listed.
struct Decomposition {
  std::uint32_t whole;
  std::uint32_t first;
  std::uint32_t second;  ///< 0: there is none
  bool composes;         ///< NFC puts the two together again
};

/// By rising `whole`.
[[nodiscard]] std::span<const Decomposition> decompositions();

/// A code point whose canonical combining class is not 0.
struct CombiningClass {
  std::uint32_t code;
  std::uint8_t rank;
};

/// By rising `code`.
[[nodiscard]] std::span<const CombiningClass> combining_classes();

}  // namespace ballast::data
