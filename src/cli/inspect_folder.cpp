#include "cli/inspect_folder.hpp"

#include <cstdint>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "cli/model_lines.hpp"
#include "cli/tokenizer_lines.hpp"
#include "formats/huggingface/folder_weights.hpp"
#include "formats/huggingface/model_config_json.hpp"
#include "model/parameters.hpp"

namespace ballast::cli {

namespace {

/// "BF16", or where there are several "BF16 (14 tensors), F32 (2 tensors)".
std::string dtypes_of(const formats::SafetensorsFolder& weights) {
  std::map<std::string_view, std::size_t> counts;
  for (const std::string& name : weights.names()) ++counts[weights.tensor(name).dtype->name];
  if (counts.size() == 1) return std::string{counts.begin()->first};
  std::vector<std::string> words;
  for (const auto& [name, count] : counts) {
    words.push_back(fmt::format("{} ({} tensors)", name, count));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::uint64_t bytes_of(const formats::SafetensorsFolder& weights) {
  std::uint64_t bytes = 0;
  for (const auto& file : weights.files()) bytes += std::filesystem::file_size(file.path());
  return bytes;
}

std::string or_none(const std::vector<std::int32_t>& tokens) {
  return tokens.empty() ? "none" : fmt::format("{}", fmt::join(tokens, " "));
}

}  // namespace

void inspect_folder(const std::filesystem::path& folder) {
  const formats::HuggingFaceConfig config = formats::read_huggingface_config(folder);
  const model::ParameterTable table{config.model};
  const formats::HuggingFaceWeights checked{table, folder};
  const formats::SafetensorsFolder& weights = checked.folder();
  fmt::print("Hugging Face folder  {}\n", folder.string());
  fmt::print("family               {}\n", config.model_type);
  fmt::print("parameters           {} in {} tensors\n", table.total_numel(),
             weights.names().size());
  fmt::print("dtype                {}\n", dtypes_of(weights));
  fmt::print("files                {} ({})\n", weights.files().size(),
             human_bytes(bytes_of(weights)));
  const auto& [bos, eos, pad] = config.special;
  fmt::print("bos_token_id         {}\n", bos ? fmt::format("{}", *bos) : "none");
  fmt::print("eos_token_id         {}\n", or_none(eos));
  for (const std::string& key : config.ignored) fmt::print("warning              {}\n", key);
  print_tokenizer_lines([&] { return data::tokenizer_files_in(folder); });
  fmt::print("verified             every header: names, shapes and types of all tensors\n");
  print_model_keys(config.model);
}

}  // namespace ballast::cli
