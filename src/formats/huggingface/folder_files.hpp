#pragma once

#include <string>

namespace ballast::formats {

// Files of a Hugging Face folder besides its weights.
inline constexpr const char* kConfigName = "config.json";
inline constexpr const char* kModelCardName = "README.md";

/// The text of a tokenizer_config.json for a SentencePiece model that changes no text: the model as
/// Ballast trains it, with its own names for begin, end and unknown.
[[nodiscard]] std::string sentencepiece_config_json();

}  // namespace ballast::formats
