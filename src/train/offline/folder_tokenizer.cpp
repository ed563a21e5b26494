#include "train/offline/folder_tokenizer.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"
#include "formats/huggingface/folder_files.hpp"

namespace ballast::train {

std::unique_ptr<data::Tokenizer> folder_tokenizer(const std::filesystem::path& folder,
                                                  std::size_t rows) {
  const auto names = formats::tokenizer_files(folder);
  const auto is_rules = [](const std::string& name) {
    return name == data::kTokenizerJsonName || name == data::kSentencePieceName;
  };
  if (std::ranges::none_of(names, is_rules)) return nullptr;
  return with_context(folder.string(), [&] {
    auto tokenizer = data::make_huggingface_tokenizer(data::read_tokenizer_files(folder));
    if (tokenizer->vocabulary() > rows) {
      throw data_error("its tokenizer has {} tokens, its model {} rows for them",
                       tokenizer->vocabulary(), rows);
    }
    return tokenizer;
  });
}

}  // namespace ballast::train
