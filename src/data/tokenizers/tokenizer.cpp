#include "data/tokenizers/tokenizer.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "data/unicode/utf8.hpp"

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

std::vector<std::int32_t> Tokenizer::encode_prompt(std::string_view text) const {
  auto tokens = encode(text);
  const auto start = prompt_start();
  const bool has_start =
      std::ranges::equal(start, std::span{tokens}.first(std::min(start.size(), tokens.size())));
  if (!has_start) tokens.insert(tokens.begin(), start.begin(), start.end());
  return tokens;
}

std::string tokenizer_hash(const Tokenizer& tokenizer) {
  const auto rules = tokenizer.rules();
  if (!rules.empty()) return hash_of(std::span{rules}).hex();
  const std::string name = tokenizer.name();
  return hash_of(std::span{name.data(), name.size()}).hex();
}

}  // namespace ballast::data
