#include "data/tokenizer.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "data/utf8.hpp"

namespace ballast::data {

std::size_t encoding_cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text.size();
  const std::string_view window = text.substr(0, limit);
  if (const auto line = window.rfind('\n'); line != std::string_view::npos) return line + 1;
  for (std::size_t i = window.size() - 1; i > 0; --i) {
    if (text[i] == ' ' && text[i - 1] != ' ') return i;
  }
  const std::size_t start = character_start(text, limit);
  return start > 0 ? start : limit;
}

std::unique_ptr<Tokenizer> make_tokenizer(std::string_view name,
                                          std::span<const std::uint8_t> model) {
  if (name == "bytes") return make_byte_tokenizer();
  if (name == "sentencepiece") return make_sentencepiece_tokenizer(model);
  if (name == kIdsTokenizer) return make_ids_tokenizer(model);
  throw data_error("unknown tokenizer '{}': this version knows bytes, sentencepiece and ids",
                   excerpt(name));
}

std::string tokenizer_hash(const Tokenizer& tokenizer) {
  const auto model = tokenizer.model();
  if (!model.empty()) return hash_of(std::span{model}).hex();
  const std::string name = tokenizer.name();
  return hash_of(std::span{name.data(), name.size()}).hex();
}

}  // namespace ballast::data
