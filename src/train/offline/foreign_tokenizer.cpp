#include "train/offline/foreign_tokenizer.hpp"

#include "base/error.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"

namespace ballast::train {

std::unique_ptr<data::Tokenizer> foreign_tokenizer(const ForeignModel& foreign) {
  return with_context(foreign.path().string(), [&]() -> std::unique_ptr<data::Tokenizer> {
    const data::TokenizerFiles files = foreign.tokenizer_files();
    if (!data::makes_tokenizer(files)) return nullptr;
    auto tokenizer = data::make_huggingface_tokenizer(files);
    const std::size_t rows = foreign.model().vocabulary;
    if (tokenizer->vocabulary() > rows) {
      throw data_error("its tokenizer has {} tokens, its model {} rows for them",
                       tokenizer->vocabulary(), rows);
    }
    return tokenizer;
  });
}

}  // namespace ballast::train
