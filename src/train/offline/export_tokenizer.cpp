#include "train/offline/export_tokenizer.hpp"

#include <fmt/ranges.h>
#include <memory>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/folders.hpp"
#include "data/tokenizers/make_tokenizer.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "formats/huggingface/generation_config.hpp"
#include "storage/files.hpp"
#include "train/settings/identity.hpp"
#include "train/settings/setting_changes.hpp"

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
  if (name == data::kIdsTokenizer || name == "none") return true;
  try {
    const auto files = data::read_tokenizer_files(folder);
    const std::string& hash = text_of(identity, "data.tokenizer_hash");
    if (name == data::kHuggingFaceTokenizer) {
      const auto packed = data::pack(files);
      return hash_of(std::span{packed}).hex() == hash;
    }
    const auto model = files.find(data::kSentencePieceName);
    return name == "sentencepiece" && model != files.end() &&
           hash_of(std::span{model->second}).hex() == hash;
  } catch (const Error&) {
    return false;  // it has none
  }
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
            .note =
                "none: the model reads bytes, for which transformers has no tokenizer of these "
                "ids (a byte is its own id, then bos, eos, pad)"};
  }
  if (checkpoint.manifest.tokenizer) return from_model(checkpoint, name);
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
  if (saved.checkpoint() == nullptr) return from_folder(saved.folder());
  const fs::path folder = first_folder(saved.checkpoint()->manifest);
  const bool is_trained_with =
      !folder.empty() && has_tokenizer_of(folder, saved.checkpoint()->manifest.identity);
  return is_trained_with ? from_folder(folder) : from_checkpoint(*saved.checkpoint());
}

void write_tokenizer(const ExportedTokenizer& tokenizer, const fs::path& to) {
  data::TokenizerFiles rules;  // of what is not there already
  rules[data::kGenerationConfigName] = formats::generation_config_json(tokenizer.special);
  for (const auto& [name, text] : tokenizer.files) rules[name] = text;
  if (!tokenizer.folder.empty()) {
    auto names = formats::tokenizer_files(tokenizer.folder);
    std::error_code ignored;
    const bool has_rules = fs::exists(tokenizer.folder / data::kGenerationConfigName, ignored);
    if (has_rules) names.emplace_back(data::kGenerationConfigName);
    for (const auto& name : names) formats::copy_folder_file(tokenizer.folder, to, name);
    if (has_rules) rules.erase(data::kGenerationConfigName);
  }
  for (const auto& [name, text] : rules) storage::write_text_atomically(to / name, text);
}

}  // namespace ballast::train
