#include "data/tokenizers/make_tokenizer.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/tokenizers/huggingface_tokenizer.hpp"

namespace ballast::data {

std::unique_ptr<Tokenizer> make_tokenizer(std::string_view name,
                                          std::span<const std::uint8_t> model) {
  if (name == "bytes") return make_byte_tokenizer();
  if (name == "sentencepiece") return make_sentencepiece_tokenizer(model);
  if (name == kHuggingFaceTokenizer) {
    return make_huggingface_tokenizer(unpack_tokenizer_files(model));
  }
  if (name == kIdsTokenizer) return make_ids_tokenizer(model);
  throw data_error(
      "unknown tokenizer '{}': this version knows bytes, sentencepiece, huggingface and "
      "ids",
      excerpt(name));
}

}  // namespace ballast::data
