#include "formats/huggingface/special_tokens.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/json.hpp"
#include "formats/huggingface/config_keys.hpp"
#include "formats/huggingface/folder_files.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace {

std::optional<std::int32_t> first_of(const std::vector<std::int32_t>& ids) {
  return ids.empty() ? std::nullopt : std::optional{ids.front()};
}

}  // namespace

std::optional<SpecialTokens> read_special_tokens(const std::filesystem::path& folder) {
  const auto file = folder / kConfigName;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  const std::string text = storage::read_text(file);
  const Json json = with_context(file.string(), [&] { return parse_json(text); });
  const ConfigKeys keys{file, json};
  return SpecialTokens{.bos = first_of(keys.ids("bos_token_id")),
                       .eos = keys.ids("eos_token_id"),
                       .pad = first_of(keys.ids("pad_token_id"))};
}

}  // namespace ballast::formats
