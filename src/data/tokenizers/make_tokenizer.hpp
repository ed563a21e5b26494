#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

/// The tokenizer that a dataset or checkpoint names: "bytes", "sentencepiece", "huggingface" or
/// "ids".
[[nodiscard]] std::unique_ptr<Tokenizer> make_tokenizer(std::string_view name,
                                                        std::span<const std::uint8_t> model);

}  // namespace ballast::data
