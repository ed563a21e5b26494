#include "train/offline/import_facts.hpp"

#include <algorithm>
#include <system_error>

#include "base/error.hpp"
#include "data/tokenizer.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "formats/safetensors/folder_content.hpp"
#include "storage/files.hpp"
#include "train/offline/as_trained.hpp"

namespace ballast::train {

namespace {

ImportedTokenizer read_sentencepiece(const std::filesystem::path& folder, std::size_t vocabulary) {
  formats::require_inside(folder, formats::kSentencePieceName);
  const std::string bytes =
      storage::read_text(folder / formats::kSentencePieceName, std::uint64_t{32} << 20);
  const auto pieces =
      data::make_sentencepiece_tokenizer(std::vector<std::uint8_t>{bytes.begin(), bytes.end()});
  if (pieces->vocabulary() > vocabulary) {
    throw data_error("it has {} pieces, the model {} rows", pieces->vocabulary(), vocabulary);
  }
  return {.name = pieces->name(),
          .hash = data::tokenizer_hash(*pieces),
          .model = pieces->model(),
          .note = fmt::format("{} of the folder", formats::kSentencePieceName)};
}

}  // namespace

ImportedTokenizer imported_tokenizer(const ForeignModel& foreign) {
  const std::filesystem::path folder = foreign.tokenizer_folder();
  if (folder.empty())
    return {.note = fmt::format("none: {} has none that is read", foreign.kind())};
  std::error_code ignored;
  if (!std::filesystem::exists(folder / formats::kSentencePieceName, ignored)) {
    return {.note = fmt::format("none: the folder has no {}", formats::kSentencePieceName)};
  }
  try {
    return read_sentencepiece(folder, foreign.model().vocabulary);
  } catch (const Error& error) {
    return {.note = fmt::format("none: {} is not usable here: {}", formats::kSentencePieceName,
                                error.what())};
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
