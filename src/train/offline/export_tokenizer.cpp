#include "train/offline/export_tokenizer.hpp"

#include <fmt/ranges.h>
#include <memory>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "data/tokenizer.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "formats/huggingface/generation_config.hpp"
#include "storage/files.hpp"
#include "train/settings/identity.hpp"
#include "train/settings/setting_changes.hpp"
#include "train/start/read_foreign.hpp"

namespace ballast::train {

namespace fs = std::filesystem;

namespace {

/// A value of INI text, which may stand in quotes.
std::string unquoted(const std::string& value) {
  if (value.size() < 2 || value.front() != '"') return value;
  std::string text;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\') ++i;
    text += value[i];
  }
  return text;
}

/// run.init of a checkpoint's run; empty where it began with weights of its own.
fs::path init_of(const checkpoint::Manifest& manifest) {
  const auto settings = settings_of(manifest.settings);
  const auto found = settings.find("run.init");
  return found == settings.end() ? fs::path{} : fs::path{unquoted(found->second)};
}

/// The Hugging Face folder that a training goes back to, over checkpoints if need be; empty where
/// there is none, or no more.
fs::path first_folder(checkpoint::Manifest manifest) {
  constexpr int kMostTrainings = 16;  // they may name each other in a circle
  for (int i = 0; i < kMostTrainings; ++i) {
    const fs::path init = init_of(manifest);
    if (init.empty() || is_foreign_folder(init)) return init;
    try {
      manifest = checkpoint::Manifest::read(checkpoint::find_checkpoint(init));
    } catch (const Error&) {
      return {};
    }
  }
  return {};
}

/// Whether the tokenizer of `folder` is the one that the checkpoint was trained with, as far as
/// either says.
bool has_tokenizer_of(const fs::path& folder, const Identity& identity) {
  const std::string& name = text_of(identity, "data.tokenizer");
  if (name == "bytes") return false;
  const fs::path model = folder / formats::kSentencePieceName;
  std::error_code ignored;
  if (name != "sentencepiece") return true;
  return fs::exists(model, ignored) &&
         storage::hash_file(model).hex() == text_of(identity, "data.tokenizer_hash");
}

std::optional<std::int32_t> id_or_none(std::int32_t id) {
  return id < 0 ? std::nullopt : std::optional{id};
}

ExportedTokenizer from_folder(const fs::path& folder) {
  ExportedTokenizer tokenizer{.folder = folder};
  if (const auto special = formats::read_special_tokens(folder)) tokenizer.special = *special;
  const auto files = formats::tokenizer_files(folder);
  tokenizer.note = files.empty() ? fmt::format("none: '{}' holds no file of one", folder.string())
                                 : fmt::format("{} of {}", fmt::join(files, ", "), folder.string());
  return tokenizer;
}

ExportedTokenizer from_foreign(const ForeignModel& model) {
  const fs::path folder = model.tokenizer_folder();
  if (!folder.empty()) return from_folder(folder);
  return {.special = model.special(),
          .note = fmt::format("none: that of {} is not read; name a folder with --tokenizer",
                              model.kind())};
}

/// The one of a checkpoint that was not trained with a folder's.
ExportedTokenizer from_checkpoint(const checkpoint::Checked& checkpoint) {
  const std::string& name = text_of(checkpoint.manifest.identity, "data.tokenizer");
  if (name == "bytes") {
    constexpr std::int32_t kPad = 258;
    const auto bytes = data::make_byte_tokenizer();
    return {.special = {bytes->bos(), {bytes->eos()}, kPad},
            .note =
                "none: the model reads bytes, for which transformers has no tokenizer of these "
                "ids (a byte is its own id, then bos, eos, pad)"};
  }
  if (name == "sentencepiece" && checkpoint.manifest.tokenizer) {
    auto model = checkpoint::tokenizer_model(checkpoint.manifest, checkpoint.folder);
    const auto pieces = data::make_sentencepiece_tokenizer(model);
    ExportedTokenizer tokenizer{.special = {.bos = id_or_none(pieces->bos())},
                                .sentencepiece = std::move(model),
                                .note = "the checkpoint's SentencePiece model"};
    if (pieces->eos() >= 0) tokenizer.special.eos = {pieces->eos()};
    return tokenizer;
  }
  return {.note = fmt::format("none: the checkpoint, trained with '{}', holds none; name a folder "
                              "with --tokenizer",
                              name)};
}

}  // namespace

ExportedTokenizer find_tokenizer(const SavedModel& saved, const fs::path& asked) {
  if (!asked.empty()) {
    if (formats::tokenizer_files(asked).empty()) {
      throw usage_error(
          "--tokenizer {}: this folder holds no file of a tokenizer, such as tokenizer.json or "
          "tokenizer.model",
          asked.string());
    }
    return from_folder(asked);
  }
  if (saved.foreign() != nullptr) return from_foreign(*saved.foreign());
  const fs::path folder = first_folder(saved.checkpoint()->manifest);
  const bool is_trained_with =
      !folder.empty() && has_tokenizer_of(folder, saved.checkpoint()->manifest.identity);
  return is_trained_with ? from_folder(folder) : from_checkpoint(*saved.checkpoint());
}

void write_tokenizer(const ExportedTokenizer& tokenizer, const fs::path& to) {
  std::error_code ignored;
  const bool has_own_rules = !tokenizer.folder.empty() &&
                             fs::exists(tokenizer.folder / formats::kGenerationConfigName, ignored);
  if (has_own_rules) {
    formats::copy_folder_file(tokenizer.folder, to, formats::kGenerationConfigName);
  } else {
    storage::write_text_atomically(to / formats::kGenerationConfigName,
                                   formats::generation_config_json(tokenizer.special));
  }
  if (!tokenizer.folder.empty()) {
    for (const auto& name : formats::tokenizer_files(tokenizer.folder)) {
      formats::copy_folder_file(tokenizer.folder, to, name);
    }
  } else if (!tokenizer.sentencepiece.empty()) {
    const auto& model = tokenizer.sentencepiece;
    storage::write_text_atomically(to / formats::kSentencePieceName,
                                   std::string{model.begin(), model.end()});
    storage::write_text_atomically(to / formats::kTokenizerConfigName,
                                   formats::sentencepiece_config_json());
  }
}

}  // namespace ballast::train
