#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/bpe/json_fields.hpp"

namespace ballast::data {

/// Tokens that a tokenizer's post-processor puts around a text.
struct AroundText {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> behind;
};

/// `post_processor` of a tokenizer.json: null, ByteLevel, TemplateProcessing of special tokens
/// around one text, or a Sequence of them. Throws a data Error that names another one, or an id
/// that is not below `vocabulary`.
[[nodiscard]] AroundText read_around_text(const JsonFields& document, std::size_t vocabulary);

}  // namespace ballast::data
