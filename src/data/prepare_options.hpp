#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "data/json_lines.hpp"
#include "data/prepare.hpp"
#include "data/tokenizer.hpp"

namespace ballast::data {

/// Throws what of the options cannot be carried out, before anything is read: usage and data
/// Errors.
void check(const PrepareOptions& options);

/// What the inputs are read as.
[[nodiscard]] TextKind kind_of(const PrepareOptions& options);
/// The key of a JSON line's text or ids.
[[nodiscard]] std::string field_of(const PrepareOptions& options);

/// Whether the tokenizer is to be trained on the inputs, and with how many pieces: a usage Error
/// where that is no possible number.
[[nodiscard]] bool trains_tokenizer(const PrepareOptions& options);
[[nodiscard]] std::size_t trained_vocabulary(const PrepareOptions& options);
/// A tokenizer that is there already. Data Errors name the file.
[[nodiscard]] std::unique_ptr<Tokenizer> load_tokenizer(const PrepareOptions& options);

}  // namespace ballast::data
