#include "train/offline/import_facts.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "train/offline/as_trained.hpp"
#include "train/offline/foreign_tokenizer.hpp"

namespace ballast::train {

ImportedTokenizer imported_tokenizer(const ForeignModel& foreign) {
  try {
    const auto tokenizer = foreign_tokenizer(foreign);
    if (!tokenizer) return {.note = fmt::format("none: {} has none", foreign.path().string())};
    return {.name = tokenizer->name(),
            .hash = data::tokenizer_hash(*tokenizer),
            .model = tokenizer->model(),
            .note = fmt::format("the model's, of {} tokens", tokenizer->vocabulary())};
  } catch (const Error& error) {
    return {.note = fmt::format("none: it is not usable here: {}", error.what())};
  }
}

Identity imported_identity(const ForeignModel& foreign, const ImportedTokenizer& tokenizer) {
  Config config;
  config.model = foreign.model();
  config.data.path = "none";  // must not be empty there; taken out below
  config.data.micro_batch = 1;
  config.data.seq_len =
      config.model.context == 0 ? kForeignSeqLen : std::min(kForeignSeqLen, config.model.context);
  data::DatasetInfo nothing;
  nothing.tokenizer = tokenizer.name;
  nothing.tokenizer_hash = tokenizer.hash;
  nothing.vocabulary = config.model.vocabulary;
  Identity identity = make_identity(config, nothing);
  identity["data.path"] = "";
  return identity;
}

std::string imported_settings(const ForeignModel& foreign) {
  return fmt::format("[model]\ninit_std = {}\n\n[run]\ninit = {}\n", foreign.model().init_std,
                     std::filesystem::absolute(foreign.path()).string());
}

}  // namespace ballast::train
