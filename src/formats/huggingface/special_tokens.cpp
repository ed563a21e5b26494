#include "formats/huggingface/special_tokens.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/json.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

std::vector<std::int32_t> ids_within(const ConfigKeys& keys, std::string_view key,
                                     std::size_t vocabulary) {
  std::vector<std::int32_t> ids = keys.ids(key);
  for (const std::int32_t id : ids) {
    if (static_cast<std::size_t>(id) < vocabulary) continue;
    keys.refuse(
        key, fmt::format("is beyond the model's vocabulary of {}: correct the file", vocabulary));
  }
  return ids;
}

std::optional<std::int32_t> first_of(const std::vector<std::int32_t>& ids) {
  return ids.empty() ? std::nullopt : std::optional{ids.front()};
}

}  // namespace

SpecialTokens special_tokens_of(const ConfigKeys& keys, std::size_t vocabulary) {
  return {.bos = first_of(ids_within(keys, "bos_token_id", vocabulary)),
          .eos = ids_within(keys, "eos_token_id", vocabulary),
          .pad = first_of(ids_within(keys, "pad_token_id", vocabulary))};
}

SpecialTokens parse_special_tokens(std::string_view text, const std::filesystem::path& file,
                                   std::size_t vocabulary) {
  const Json json = with_context(file.string(), [&] { return parse_json(text); });
  return special_tokens_of(ConfigKeys{file, json}, vocabulary);
}

std::optional<SpecialTokens> read_special_tokens(const std::filesystem::path& folder,
                                                 std::size_t vocabulary) {
  const auto file = folder / kConfigName;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  return parse_special_tokens(storage::read_text(file), file, vocabulary);
}

data::TokenizerFiles checked_tokenizer_files(const std::filesystem::path& folder,
                                             std::size_t vocabulary) {
  data::TokenizerFiles files = data::tokenizer_files_in(folder);
  const auto generation = files.find(data::kGenerationConfigName);
  if (generation != files.end()) {
    (void)parse_special_tokens(generation->second, folder / generation->first, vocabulary);
  }
  return files;
}

}  // namespace ballast::formats
