#pragma once

#include <string_view>

#include "base/words.hpp"

namespace ballast::data {

enum class Split { train, validation };

/// "train" or "validation": the split's folder in the file.
[[nodiscard]] constexpr std::string_view split_name(Split split) {
  return split == Split::train ? "train" : "validation";
}

constexpr auto words_of(EnumTag<Split>) {
  return std::to_array<Word<Split>>({{Split::validation, "validation"}, {Split::train, "train"}});
}

/// How the validation part is chosen.
enum class SplitRule {
  blocks,    ///< plain text in blocks of 16 KiB; block i is held out when i mod 20 = 19
  tail,      ///< the last fraction of the text
  documents  ///< whole documents (files, or JSON lines), each 20th
};

constexpr auto words_of(EnumTag<SplitRule>) {
  return std::to_array<Word<SplitRule>>({{SplitRule::blocks, "blocks"},
                                         {SplitRule::tail, "tail"},
                                         {SplitRule::documents, "documents"}});
}

}  // namespace ballast::data
