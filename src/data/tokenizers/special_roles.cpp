#include "data/tokenizers/special_roles.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

/// A file's JSON object; empty where there is no such file.
Json object_in(const TokenizerFiles& files, std::string_view name) {
  const auto file = files.find(name);
  if (file == files.end()) return Json::object();
  return with_context(name, [&] {
    Json json = parse_json(file->second);
    if (!json.is_object()) throw data_error("holds no JSON object");
    return json;
  });
}

/// The text of a token, which stands there as such or as an object with its content.
std::optional<std::string> token_text(const Json& object, const char* key) {
  if (!object.contains(key)) return std::nullopt;
  const Json& value = object[key];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  return std::nullopt;
}

std::int32_t id_of(std::span<const VocabularyEntry> entries, const std::string& text) {
  const auto found = std::ranges::find(entries, text, &VocabularyEntry::text);
  return found == entries.end() ? -1 : static_cast<std::int32_t>(found - entries.begin());
}

/// The first of the ids that generation_config.json names.
std::int32_t configured_id(const Json& object, const char* key, std::size_t vocabulary) {
  if (!object.contains(key)) return -1;
  const Json& value = object[key].is_array() && !object[key].empty() ? object[key][0] : object[key];
  if (!value.is_number_unsigned()) return -1;
  const auto id = value.get<std::uint64_t>();
  if (id < vocabulary) return static_cast<std::int32_t>(id);
  throw data_error("{}: {} is {}, but the tokenizer has {} tokens", kGenerationConfigName, key, id,
                   vocabulary);
}

/// Where the roles of a tokenizer stand.
class RoleFiles {
 public:
  RoleFiles(const TokenizerFiles& files, std::span<const VocabularyEntry> entries)
      : config_(object_in(files, kTokenizerConfigName)),  // in braces it would be a list of one
        map_(object_in(files, kSpecialTokensName)),
        generation_(object_in(files, kGenerationConfigName)),
        entries_{entries} {}

  /// key: "bos_token"
  [[nodiscard]] std::int32_t id(const char* key) const {
    for (const auto& [object, name] :
         {std::pair{&config_, kTokenizerConfigName}, std::pair{&map_, kSpecialTokensName}}) {
      const auto text = token_text(*object, key);
      if (!text) continue;
      const std::int32_t found = id_of(entries_, *text);
      if (found >= 0) return found;
      throw data_error("{}: {} is '{}', which is no token", name, key, excerpt(*text));
    }
    return configured_id(generation_, (std::string{key} + "_id").c_str(), entries_.size());
  }

 private:
  Json config_, map_, generation_;
  std::span<const VocabularyEntry> entries_;
};

}  // namespace

SpecialRoles special_roles(const TokenizerFiles& files, std::span<const VocabularyEntry> entries) {
  const RoleFiles roles{files, entries};
  return {.bos = roles.id("bos_token"), .eos = roles.id("eos_token")};
}

bool tokenizer_flag(const TokenizerFiles& files, std::string_view key, bool fallback) {
  const Json config = object_in(files, kTokenizerConfigName);
  const auto found = config.find(std::string{key});
  return found != config.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

}  // namespace ballast::data
