#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/bpe/piece_scanner.hpp"

namespace ballast::data {

/// The different pieces of a training text, and how often each stands in it.
class WordCounts {
 public:
  explicit WordCounts(const PieceRule& rule) : scanner_{rule} {}

  /// Counts the pieces of a stretch. Throws a data Error with the byte offset where it is not
  /// UTF-8.
  void add(std::string_view text);

  [[nodiscard]] const std::unordered_map<std::string, std::uint64_t>& all() const {
    return counts_;
  }

 private:
  static constexpr std::size_t kLongestWord = 1024;

  PieceScanner scanner_;
  std::unordered_map<std::string, std::uint64_t> counts_;
};

}  // namespace ballast::data
