#include "cli/inspect_gguf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "cli/model_lines.hpp"
#include "cli/tokenizer_lines.hpp"
#include "formats/gguf/gguf_model_config.hpp"
#include "formats/gguf/gguf_tokenizer.hpp"
#include "formats/gguf/gguf_weights.hpp"
#include "model/parameters.hpp"

namespace ballast::cli {

namespace {

/// "q8_0 (14 tensors), f32 (2 tensors)"
std::string types_of(const formats::GgufFile& file) {
  std::map<std::string_view, std::size_t> counts;
  for (const auto& tensor : file.tensors()) ++counts[name_of(tensor.type)];
  std::vector<std::string> words;
  for (const auto& [name, count] : counts) {
    words.push_back(fmt::format("{} ({} tensors)", name, count));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string or_none(const std::optional<std::int32_t>& token) {
  return token ? fmt::format("{}", *token) : "none";
}

}  // namespace

void inspect_gguf(const std::filesystem::path& path) {
  const formats::GgufModel found = formats::read_gguf_model(formats::GgufFile{path});
  const model::ParameterTable table{found.model};
  const formats::GgufWeights checked{table, path};
  fmt::print("GGUF file            {}\n", path.string());
  fmt::print("architecture         {}\n", found.architecture->name);
  fmt::print("parameters           {} in {} tensors\n", table.total_numel(),
             table.parameters().size());
  fmt::print("types                {}\n", types_of(checked.file()));
  fmt::print("bytes                {}\n", human_bytes(std::filesystem::file_size(path)));
  fmt::print("bos_token_id         {}\n", or_none(found.bos));
  fmt::print("eos_token_id         {}\n", or_none(found.eos));
  print_tokenizer_lines([&] {
    return formats::gguf_tokenizer_files({checked.file().path(), checked.file().metadata()});
  });
  fmt::print("verified             the header: names, shapes and types of all tensors\n");
  print_model_keys(found.model);
}

}  // namespace ballast::cli
