#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <unordered_map>
#include <vector>

namespace ballast::data {

/// The words of a training text as tokens, and how often each two neighbors stand in it, while
/// pairs are merged one after the other. A merge looks only at the words that have its pair.
class PairCounts {
 public:
  struct Pair {
    std::int32_t left;
    std::int32_t right;
    friend auto operator<=>(const Pair&, const Pair&) = default;
  };

  /// Another word of the text, which stands in it `count` times. All come before the first merge.
  void add_word(std::span<const std::int32_t> tokens, std::uint64_t count);

  /// The most frequent pair, of equally frequent ones the smallest; nullopt if no word has two
  /// tokens any more.
  [[nodiscard]] std::optional<Pair> most_frequent();

  /// Makes `whole` of a pair wherever it stands, in each word from left to right.
  void merge(Pair pair, std::int32_t whole);

 private:
  struct Word {
    std::vector<std::int32_t> tokens;
    std::uint64_t count;
  };
  struct Places {
    std::uint64_t count = 0;
    std::vector<std::uint32_t> words;  ///< that have the pair, or had it; some more than once
  };
  /// What a count was when it was written down: an old one is put right when it comes to the top.
  struct Entry {
    std::uint64_t count;
    Pair pair;
    friend bool operator<(const Entry& a, const Entry& b) {
      return a.count != b.count ? a.count < b.count : a.pair > b.pair;
    }
  };

  static std::uint64_t key(Pair pair) {
    return std::uint64_t{static_cast<std::uint32_t>(pair.left)} << 32 |
           static_cast<std::uint32_t>(pair.right);
  }

  static Pair pair_of(std::uint64_t key) {
    return {static_cast<std::int32_t>(key >> 32), static_cast<std::int32_t>(key & 0xFFFFFFFFu)};
  }
  /// Counts one more place of a pair.
  void add(Pair pair, std::uint32_t word);

  std::vector<Word> words_;
  std::unordered_map<std::uint64_t, Places> places_;
  std::priority_queue<Entry> queue_;  ///< empty before the first question
};

}  // namespace ballast::data
