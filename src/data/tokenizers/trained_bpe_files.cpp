#include "data/tokenizers/trained_bpe_files.hpp"

#include "base/json.hpp"
#include "data/bpe/bpe_trainer.hpp"

namespace ballast::data {

TokenizerFiles trained_bpe_files(std::size_t vocabulary, const NextText& next) {
  const Json config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                    {"bos_token", kBeginOfText},
                    {"eos_token", kEndOfText},
                    {"clean_up_tokenization_spaces", false}};
  return {{kTokenizerJsonName, train_bpe(vocabulary, next)},
          {kTokenizerConfigName, config.dump(2) + "\n"}};
}

}  // namespace ballast::data
