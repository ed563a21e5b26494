#include "formats/huggingface/folder_files.hpp"

#include <span>
#include <system_error>

#include "base/json.hpp"
#include "data/tokenizers/tokenizer_files.hpp"
#include "storage/folder_file.hpp"
#include "storage/files.hpp"

namespace ballast::formats {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

}  // namespace

std::vector<std::string> tokenizer_files(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const std::string_view name : data::tokenizer_file_names()) {
    if (fs::exists(folder / name, ignored)) found.emplace_back(name);
  }
  return found;
}

void copy_folder_file(const fs::path& from, const fs::path& to, const std::string& name) {
  storage::require_inside(from, name);
  storage::InputFile input{from / name};
  storage::OutputFile output{to / name};
  std::vector<char> piece(kPieceBytes);
  std::size_t bytes = 0;
  do {
    bytes = input.read(piece);
    output.write(std::span{piece}.first(bytes));
  } while (bytes == piece.size());
  output.close();
  storage::sync_file(to / name);
}

std::string sentencepiece_config_json() {
  const Json json{{"tokenizer_class", "LlamaTokenizer"},
                  {"bos_token", "<s>"},
                  {"eos_token", "</s>"},
                  {"unk_token", "<unk>"},
                  {"add_bos_token", false},
                  {"add_eos_token", false},
                  {"add_prefix_space", false},
                  {"legacy", false},
                  {"clean_up_tokenization_spaces", false}};
  return json.dump(2) + "\n";
}

}  // namespace ballast::formats
