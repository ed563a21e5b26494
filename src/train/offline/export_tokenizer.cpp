#include "train/offline/export_tokenizer.hpp"

#include <fmt/ranges.h>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "data/tokenizers/byte_tokenizer_files.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
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

/// The foreign model that a training goes back to, over checkpoints if need be; empty where there
/// is none, or no more.
fs::path first_model(checkpoint::Manifest manifest) {
  constexpr int kMostTrainings = 16;  // they may name each other in a circle
  for (int i = 0; i < kMostTrainings; ++i) {
    const fs::path init = init_of(manifest);
    if (init.empty() || is_foreign_model(init)) return init;
    try {
      manifest = checkpoint::Manifest::read(checkpoint::find_checkpoint(init));
    } catch (const Error&) {
      return {};
    }
  }
  return {};
}

/// Whether the checkpoint was trained with the tokenizer of these files, as far as it says.
bool was_trained_with(const data::TokenizerFiles& files, const Identity& identity) {
  const std::string& name = text_of(identity, "data.tokenizer");
  if (name == data::kIdsTokenizer || name == "none") return true;
  const std::string_view rules = data::rules_in(files);
  return hash_of(std::span{rules}).hex() == text_of(identity, "data.tokenizer_hash");
}

std::optional<std::int32_t> id_or_none(std::int32_t id) {
  return id < 0 ? std::nullopt : std::optional{id};
}

ExportedTokenizer with_files(data::TokenizerFiles files, const fs::path& place,
                             const formats::SpecialTokens& special) {
  ExportedTokenizer tokenizer{.special = special, .files = std::move(files)};
  std::vector<std::string_view> names;
  for (const auto& [name, text] : tokenizer.files) {
    if (name != data::kGenerationConfigName) names.push_back(name);
  }
  tokenizer.note = names.empty() ? fmt::format("none: '{}' holds no file of one", place.string())
                                 : fmt::format("{} of {}", fmt::join(names, ", "), place.string());
  return tokenizer;
}

ExportedTokenizer from_folder(const fs::path& folder, std::size_t vocabulary) {
  const auto special = formats::read_special_tokens(folder, vocabulary);
  return with_files(formats::checked_tokenizer_files(folder, vocabulary), folder,
                    special.value_or(formats::SpecialTokens{}));
}

ExportedTokenizer from_foreign(const ForeignModel& model) {
  return with_files(model.tokenizer_files(), model.path(), model.special());
}

/// The one of the foreign model that a training began with, if it is the one that it was trained
/// with. Somebody may have changed or broken that model since: then it is no longer asked.
std::optional<ExportedTokenizer> from_first_model(const checkpoint::Manifest& manifest) {
  const fs::path first = first_model(manifest);
  if (first.empty()) return std::nullopt;
  try {
    ExportedTokenizer found = from_foreign(*read_foreign_model_alone(first));
    if (was_trained_with(found.files, manifest.identity)) return found;
  } catch (const Error&) {
  }
  return std::nullopt;
}

/// The one that lies in a checkpoint.
ExportedTokenizer from_model(const checkpoint::Checked& checkpoint, const std::string& name) {
  const auto model = checkpoint::tokenizer_model(checkpoint.manifest, checkpoint.folder);
  const auto tokenizer = data::make_tokenizer(name, model);
  ExportedTokenizer exported{.special = {.bos = id_or_none(tokenizer->bos())},
                             .note = fmt::format("the checkpoint's ({})", name)};
  if (tokenizer->eos() >= 0) exported.special.eos = {tokenizer->eos()};
  if (name == data::kHuggingFaceTokenizer) {
    exported.files = data::unpack_tokenizer_files(model);
  } else {
    exported.files = {{data::kSentencePieceName, std::string{model.begin(), model.end()}},
                      {data::kTokenizerConfigName, formats::sentencepiece_config_json()}};
  }
  return exported;
}

/// The one of a checkpoint that was not trained with a folder's.
ExportedTokenizer from_checkpoint(const checkpoint::Checked& checkpoint) {
  const std::string& name = text_of(checkpoint.manifest.identity, "data.tokenizer");
  if (name == "bytes") {
    constexpr std::int32_t kPad = 258;
    const auto bytes = data::make_byte_tokenizer();
    return {.special = {bytes->bos(), {bytes->eos()}, kPad},
            .files = data::byte_tokenizer_files(),
            .note = "bytes, as byte pairs without merges"};
  }
  if (checkpoint.manifest.tokenizer) return from_model(checkpoint, name);
  return {.note = fmt::format("none: the checkpoint, trained with '{}', holds none; name a folder "
                              "with --tokenizer",
                              name)};
}

}  // namespace

ExportedTokenizer find_tokenizer(const SavedModel& saved, const fs::path& asked) {
  if (!asked.empty()) {
    ExportedTokenizer found = from_folder(asked, saved.model().vocabulary);
    if (data::makes_tokenizer(found.files) || found.files.contains("vocab.json")) return found;
    throw usage_error(
        "--tokenizer {}: this folder holds no file of a tokenizer, such as tokenizer.json or "
        "tokenizer.model",
        asked.string());
  }
  if (saved.foreign() != nullptr) return from_foreign(*saved.foreign());
  const checkpoint::Checked& checkpoint = *saved.checkpoint();
  if (auto first = from_first_model(checkpoint.manifest)) return *std::move(first);
  return from_checkpoint(checkpoint);
}

void write_tokenizer(const ExportedTokenizer& tokenizer, const fs::path& to) {
  data::TokenizerFiles files = tokenizer.files;
  files.try_emplace(data::kGenerationConfigName,
                    formats::generation_config_json(tokenizer.special));
  for (const auto& [name, text] : files) storage::write_text_atomically(to / name, text);
}

}  // namespace ballast::train
