#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/vocabulary/tokenizer_content.hpp"

namespace ballast::data {

/// The text of a tokenizer.json that makes this byte-level tokenizer again, here and in the
/// `tokenizers` package. `start`: tokens that a prompt begins with. A data Error if the way that
/// its texts are cut is not known.
[[nodiscard]] std::string tokenizer_json(const TokenizerContent& content,
                                         std::span<const std::int32_t> start = {});

}  // namespace ballast::data
