#include "data/tokenizers/tokenizer_files.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "storage/files.hpp"
#include "storage/folder_file.hpp"

namespace ballast::data {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 10> kNames{
    kTokenizerJsonName,   kSentencePieceName,   kTokenizerConfigName, kSpecialTokensName,
    "added_tokens.json",  "vocab.json",         "merges.txt",         "chat_template.jinja",
    "chat_template.json", kGenerationConfigName};

/// The largest tokenizer.json in use has some 35 MB.
constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20;

constexpr const char* kSizesKey = "tokenizer_files";

void add_file(const fs::path& folder, std::string_view name, TokenizerFiles& files) {
  std::error_code ignored;
  if (!fs::exists(folder / name, ignored)) return;
  storage::require_inside(folder, std::string{name});
  files.emplace(name, storage::read_text(folder / name, kLargestFile));
}

TokenizerFiles read_folder(const fs::path& folder) {
  TokenizerFiles files = tokenizer_files_in(folder);
  if (makes_tokenizer(files)) return files;
  if (files.contains("vocab.json") && files.contains("merges.txt")) {
    throw data_error(
        "'{}' holds a tokenizer as vocab.json and merges.txt, without the rules of {}: save it "
        "once more with transformers, which writes that file",
        folder.string(), kTokenizerJsonName);
  }
  throw data_error("'{}' holds no tokenizer: neither {} nor {}", folder.string(),
                   kTokenizerJsonName, kSentencePieceName);
}

/// The sizes by name, from the first line.
Json sizes_of(std::string_view line) {
  Json json = parse_json(line);
  if (!json.is_object() || !json.contains(kSizesKey) || !json[kSizesKey].is_object()) {
    throw data_error("its first line does not say which files follow");
  }
  return json[kSizesKey];
}

}  // namespace

bool makes_tokenizer(const TokenizerFiles& files) {
  return files.contains(kTokenizerJsonName) || files.contains(kSentencePieceName);
}

std::string_view rules_in(const TokenizerFiles& files) {
  for (const char* name : {kTokenizerJsonName, kSentencePieceName}) {
    if (const auto file = files.find(name); file != files.end()) return file->second;
  }
  return {};
}

TokenizerFiles tokenizer_files_in(const fs::path& folder) {
  TokenizerFiles files;
  for (const std::string_view name : kNames) add_file(folder, name, files);
  return files;
}

TokenizerFiles read_tokenizer_files(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return read_folder(path);
  const std::string name = path.filename().string();
  if (name == kTokenizerJsonName || name == kSentencePieceName) {
    return read_folder(path.has_parent_path() ? path.parent_path() : fs::path{"."});
  }
  const char* const kind = name.ends_with(".json") ? kTokenizerJsonName : kSentencePieceName;
  return {{kind, storage::read_text(path, kLargestFile)}};
}

std::vector<std::uint8_t> pack(const TokenizerFiles& files) {
  Json sizes = Json::object();
  for (const auto& [name, text] : files) sizes[name] = text.size();
  const std::string line = Json{{kSizesKey, sizes}}.dump() + "\n";
  std::vector<std::uint8_t> packed{line.begin(), line.end()};
  for (const auto& [name, text] : files) packed.insert(packed.end(), text.begin(), text.end());
  return packed;
}

TokenizerFiles unpack_tokenizer_files(std::span<const std::uint8_t> packed) {
  const auto end_of_line = std::ranges::find(packed, std::uint8_t{'\n'});
  const std::string line{packed.begin(), end_of_line};
  packed = packed.subspan(std::min(line.size() + 1, packed.size()));
  return with_context("the files of a tokenizer", [&] {
    TokenizerFiles files;
    const Json sizes = sizes_of(line);
    for (const auto& [name, value] : sizes.items()) {
      const std::uint64_t size = whole_number(value, name);
      if (size > packed.size()) {
        throw data_error("{} ends before its {} bytes do", excerpt(name), size);
      }
      files.emplace(
          name, std::string{packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)});
      packed = packed.subspan(size);
    }
    if (!packed.empty()) throw data_error("{} bytes follow the last file", packed.size());
    return files;
  });
}

}  // namespace ballast::data
