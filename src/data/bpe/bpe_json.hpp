#pragma once

#include <string_view>
#include <vector>

#include "data/bpe/json_fields.hpp"
#include "data/bpe/merges.hpp"
#include "data/bpe/vocabulary.hpp"

namespace ballast::data {

/// The object that the text of a tokenizer.json is, of known fields alone. Throws a data Error if
/// it is none, or larger, in bytes or in values, than any tokenizer has reason to be.
[[nodiscard]] Json parse_tokenizer_json(std::string_view text);

/// Throws a data Error that names the setting of `model` that is not supported by any reader of
/// BPE.
void require_supported_bpe(const JsonFields& model);

/// `model.merges`: pairs, or texts with a blank between the two. Throws a data Error that names the
/// rank of one that is no merge, or whose pieces the vocabulary has not.
[[nodiscard]] std::vector<Merge> read_merges(const JsonFields& model, const Vocabulary& vocabulary);

}  // namespace ballast::data
