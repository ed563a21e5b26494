#pragma once

#include <vector>

#include "data/bpe/added_tokens.hpp"
#include "data/bpe/json_fields.hpp"
#include "data/bpe/vocabulary.hpp"

namespace ballast::data {

/// `added_tokens` of a tokenizer.json, which get their places in `vocabulary`. Throws a data Error
/// that names what is wrong with which of them.
[[nodiscard]] std::vector<AddedToken> read_added_tokens(const JsonFields& document,
                                                        Vocabulary& vocabulary);

}  // namespace ballast::data
