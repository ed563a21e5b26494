#pragma once

#include <memory>

#include "data/tokenizers/tokenizer.hpp"
#include "train/start/foreign_model.hpp"

namespace ballast::train {

/// The tokenizer of a foreign model; null where it has none. A data Error names the file and what
/// in it is not computed here, or says that there are more tokens than the model has rows for; it
/// may have more rows than tokens. For one process.
[[nodiscard]] std::unique_ptr<data::Tokenizer> foreign_tokenizer(const ForeignModel& foreign);

}  // namespace ballast::train
