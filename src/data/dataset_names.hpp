#pragma once

#include <string>
#include <string_view>

#include "data/split.hpp"

namespace ballast::data {

// The names of the parts of a dataset file.
inline constexpr std::string_view kDatasetKind = "ballast token dataset";
inline constexpr const char* kKind = "kind";
inline constexpr const char* kFormatVersion = "format_version";
inline constexpr const char* kTokenizerName = "tokenizer";
inline constexpr const char* kTokenizerHash = "tokenizer_hash";
inline constexpr const char* kVocabulary = "vocabulary";
inline constexpr const char* kRawBytes = "raw_bytes";
inline constexpr const char* kContentHash = "content_hash";
inline constexpr const char* kSplitRule = "split_rule";
inline constexpr const char* kWeightedTokens = "train_weighted_tokens";
inline constexpr const char* kHeader = "header";
inline constexpr const char* kSources = "sources";
inline constexpr const char* kTokenizerModel = "tokenizer/model";
inline constexpr const char* kPieceBytes = "tokenizer/piece_bytes";

/// A split's part: "train/tokens".
[[nodiscard]] inline std::string part_of(Split split, std::string_view part) {
  return std::string{split_name(split)} + "/" + std::string{part};
}
/// A split's attribute: "train_tokens".
[[nodiscard]] inline std::string attribute_of(Split split, std::string_view what) {
  return std::string{split_name(split)} + "_" + std::string{what};
}

}  // namespace ballast::data
