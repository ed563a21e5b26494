#pragma once

#include <string>

#include "formats/huggingface/special_tokens.hpp"

namespace ballast::formats {

/// The text of a generation_config.json, as transformers derives one from a model's config.json: a
/// text ends at any token of `special.eos`, and tokens are drawn as transformers does by default.
[[nodiscard]] std::string generation_config_json(const SpecialTokens& special);

}  // namespace ballast::formats
