#include "data/bpe/word_counts.hpp"

#include "data/unicode/utf8.hpp"

namespace ballast::data {

void WordCounts::add(std::string_view text) {
  require_utf8(text);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = scanner_.piece_end(text, at);
    if (end - at <= kLongestWord) ++counts_[std::string{text.substr(at, end - at)}];
    at = end;
  }
}

}  // namespace ballast::data
