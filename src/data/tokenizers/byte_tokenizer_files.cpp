#include "data/tokenizers/byte_tokenizer_files.hpp"

#include "base/json.hpp"
#include "data/bpe/tokenizer_json.hpp"
#include "data/tokenizers/tokenizer.hpp"

namespace ballast::data {

TokenizerFiles byte_tokenizer_files() {
  const Json config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                    {"bos_token", "<bos>"},
                    {"eos_token", "<eos>"},
                    {"pad_token", "<pad>"},
                    {"clean_up_tokenization_spaces", false}};
  return {{kTokenizerJsonName, tokenizer_json(*make_byte_tokenizer()->content())},
          {kTokenizerConfigName, config.dump(2) + "\n"}};
}

}  // namespace ballast::data
