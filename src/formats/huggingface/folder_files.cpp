#include "formats/huggingface/folder_files.hpp"

#include "base/json.hpp"

namespace ballast::formats {

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
