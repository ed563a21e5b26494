#include "train/offline/as_trained.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
#include "train/offline/foreign_tokenizer.hpp"
#include "train/settings/identity.hpp"

namespace ballast::train {

model::BatchShape shape_as_trained(const SavedModel& saved, std::optional<std::size_t> seq_len,
                                   std::optional<std::size_t> micro_batch) {
  model::BatchShape shape{1, kForeignSeqLen};
  if (saved.checkpoint() != nullptr) {
    const Identity& identity = saved.checkpoint()->manifest.identity;
    shape = {number_of(identity, "data.micro_batch"), number_of(identity, "data.seq_len")};
  } else if (saved.model().context != 0) {
    shape.seq_len = std::min(shape.seq_len, saved.model().context);
  }
  shape = {micro_batch.value_or(shape.sequences), seq_len.value_or(shape.seq_len)};
  saved.model().require_context(shape.seq_len, "--seq-len");
  return shape;
}

model::Precision precision_as_trained(const SavedModel& saved, std::optional<ElementType> param) {
  if (!param) return saved.precision();
  return {*param, saved.precision().residual};
}

std::unique_ptr<data::Tokenizer> tokenizer_of(const SavedModel& saved) {
  if (saved.foreign() != nullptr) return foreign_tokenizer(*saved.foreign());
  const auto& [folder, manifest, rows] = *saved.checkpoint();
  const std::string& name = text_of(manifest.identity, "data.tokenizer");
  if (name == data::kIdsTokenizer) return nullptr;
  if (name == "bytes") return data::make_byte_tokenizer();
  if (manifest.tokenizer) {
    return data::make_tokenizer(name, checkpoint::tokenizer_model(manifest, folder));
  }
  const std::string& path = text_of(manifest.identity, "data.path");
  if (path.empty()) return nullptr;  // it has other origins than a training
  const data::Dataset dataset{path};
  if (dataset.info().tokenizer_hash != text_of(manifest.identity, "data.tokenizer_hash")) {
    throw data_error("{}: its tokenizer is not the one the checkpoint was trained with",
                     dataset.path().string());
  }
  return data::make_tokenizer(name, dataset.tokenizer_model());
}

void require_same_tokens(const SavedModel& saved, const data::Dataset& dataset) {
  const data::DatasetInfo& info = dataset.info();
  (void)vocabulary_of(saved.model(), info.vocabulary);
  if (saved.checkpoint() == nullptr) return;
  const Identity& identity = saved.checkpoint()->manifest.identity;
  const std::string& trained_with = text_of(identity, "data.tokenizer_hash");
  if (trained_with.empty() || info.tokenizer_hash == trained_with) return;
  throw data_error("{}: its tokenizer ({} {}) is not the one of the checkpoint ({} {})",
                   dataset.path().string(), info.tokenizer, info.tokenizer_hash,
                   text_of(identity, "data.tokenizer"), trained_with);
}

Error no_tokenizer(const SavedModel& saved, std::string_view instead) {
  return usage_error("{} knows token ids only: it has no tokenizer; give the ids with {} instead",
                     saved.path().string(), instead);
}

}  // namespace ballast::train
