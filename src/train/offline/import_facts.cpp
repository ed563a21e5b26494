#include "train/offline/import_facts.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "data/tokenizers/tokenizer_files.hpp"
#include "train/offline/as_trained.hpp"
#include "train/offline/folder_tokenizer.hpp"

namespace ballast::train {

ImportedTokenizer tokenizer_of_folder(const std::filesystem::path& folder, std::size_t vocabulary) {
  try {
    const auto tokenizer = folder_tokenizer(folder, vocabulary);
    if (!tokenizer) {
      return {.note = fmt::format("none: the folder has neither {} nor {}",
                                  data::kTokenizerJsonName, data::kSentencePieceName)};
    }
    return {.name = tokenizer->name(),
            .hash = data::tokenizer_hash(*tokenizer),
            .model = tokenizer->model(),
            .note = fmt::format("the folder's, of {} tokens", tokenizer->vocabulary())};
  } catch (const Error& error) {
    return {.note = fmt::format("none: it is not usable here: {}", error.what())};
  }
}

Identity imported_identity(const ForeignFolder& foreign, const ImportedTokenizer& tokenizer) {
  Config config;
  config.model = foreign.config.model;
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

std::string imported_settings(const ForeignFolder& foreign) {
  return fmt::format("[model]\ninit_std = {}\n\n[run]\ninit = {}\n", foreign.config.model.init_std,
                     std::filesystem::absolute(foreign.folder).string());
}

}  // namespace ballast::train
