#include "data/bpe/merges.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "data/bpe/byte_map.hpp"

namespace ballast::data {
namespace {

using Tokens = std::vector<std::int32_t>;

/// By the definition: the pair of lowest rank, of equal ones the first, again and again.
Tokens merged(const std::vector<Merge>& merges, Tokens tokens) {
  for (;;) {
    std::size_t best_rank = merges.size();
    std::size_t best_place = 0;
    for (std::size_t place = 0; place + 1 < tokens.size(); ++place) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left == tokens[place] && merges[rank].right == tokens[place + 1]) {
          best_rank = rank;
          best_place = place;
        }
      }
    }
    if (best_rank == merges.size()) return tokens;
    tokens[best_place] = merges[best_rank].whole;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best_place) + 1);
  }
}

/// Merges of two letters, in which wholes are merged further.
std::vector<Merge> random_merges(std::mt19937& dice, std::int32_t count) {
  std::vector<Merge> merges;
  for (std::int32_t whole = 2; whole < 2 + count; ++whole) {
    const auto any = [&] {
      return static_cast<std::int32_t>(dice() % static_cast<unsigned>(whole));
    };
    const Merge merge{any(), any(), whole};
    const bool known = std::ranges::any_of(merges, [&](const Merge& other) {
      return other.left == merge.left && other.right == merge.right;
    });
    if (!known) merges.push_back(merge);
  }
  return merges;
}

TEST(Merges, AreAppliedInOrderOfRankToFewAndToMany) {
  std::mt19937 dice{5};
  for (int round = 0; round < 300; ++round) {
    const auto rules = random_merges(dice, 12);
    const Merges merges{rules, 20};
    for (const std::size_t size : {0u, 1u, 2u, 3u, 7u, 20u, 47u, 48u, 49u, 50u, 120u}) {
      Tokens tokens(size);
      for (auto& token : tokens) token = static_cast<std::int32_t>(dice() % 2);
      const Tokens expected = merged(rules, tokens);
      merges.apply(tokens);
      ASSERT_EQ(tokens, expected) << size;
    }
  }
}

TEST(Merges, OfAPairThatStandsThreeTimesTheFirstIsMerged) {
  const Merges merges{std::vector<Merge>{{0, 0, 1}}, 2};
  for (const std::size_t size : {3u, 101u}) {
    Tokens tokens(size, 0);
    merges.apply(tokens);
    Tokens expected(size / 2, 1);
    expected.push_back(0);
    EXPECT_EQ(tokens, expected);
  }
}

TEST(ByteMap, GoesThereAndBack) {
  EXPECT_EQ(to_byte_map(" a\n\xC3\xA9"),
            "Ġ"
            "aĊÃ©");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    EXPECT_EQ(from_byte_map(to_byte_map(bytes)), bytes);
  }
  EXPECT_EQ(from_byte_map("a b"), std::nullopt) << "a space is written otherwise";
  EXPECT_EQ(from_byte_map("▁a"), std::nullopt);
}

}  // namespace
}  // namespace ballast::data
