#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "data/dataset.hpp"
#include "data/tokenizers/tokenizer.hpp"
#include "model/batch.hpp"
#include "model/precision.hpp"
#include "tensor/element.hpp"
#include "train/start/saved_model.hpp"

// How a saved model is read: as it was trained, where nobody asks for something else.
namespace ballast::train {

/// The windows of a model that does not say how it was trained, as far as its context reaches.
inline constexpr std::size_t kForeignSeqLen = 1024;

/// What passes through it together. A usage Error that names --seq-len if the model's positions end
/// before.
[[nodiscard]] model::BatchShape shape_as_trained(const SavedModel& saved,
                                                 std::optional<std::size_t> seq_len,
                                                 std::optional<std::size_t> micro_batch);

/// The types that it computes with.
[[nodiscard]] model::Precision precision_as_trained(const SavedModel& saved,
                                                    std::optional<ElementType> param);

/// Its tokenizer: bytes need no file, others lie in the checkpoint, those of older checkpoints in
/// the dataset that it was trained on, those of a foreign model in its folder. Null where texts
/// were token ids, and where nobody says. Data Errors name the file, and what of a foreign
/// tokenizer is not computed here.
[[nodiscard]] std::unique_ptr<data::Tokenizer> tokenizer_of(const SavedModel& saved);

/// A data Error if the tokens of a dataset mean something else to the model, as far as anybody
/// knows: its vocabulary, and the tokenizer of a checkpoint of ours.
void require_same_tokens(const SavedModel& saved, const data::Dataset& dataset);

/// The usage Error for a text that is given to a model without a tokenizer. `instead`: the option
/// to give, "--prompt-ids".
[[nodiscard]] Error no_tokenizer(const SavedModel& saved, std::string_view instead);

}  // namespace ballast::train
