#include "data/bpe/bpe_trainer.hpp"

#include <gtest/gtest.h>
#include <utility>
#include <vector>

#include "data/bpe/bpe_tokenizer.hpp"
#include "data/bpe/pair_counts.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;

std::string train(std::size_t vocabulary, std::vector<std::string> stretches) {
  std::size_t given = 0;
  return train_bpe(vocabulary, [&](std::string& out) {
    if (given == stretches.size()) return false;
    out = stretches[given++];
    return true;
  });
}

/// "left right" of each merge, by rank.
std::vector<std::string> merges_of(const BpeModel& model) {
  std::vector<std::string> merges;
  const auto text = [&](std::int32_t id) {
    return model.pieces[static_cast<std::size_t>(id)].text;
  };
  for (const Merge& merge : model.merges)
    merges.push_back(text(merge.left) + " " + text(merge.right));
  return merges;
}

TEST(BpeTrainer, MergesTheMostFrequentPairThenThatOfSmallerIds) {
  // "hug" 10, "pug" 5, "pun" 12, "bun" 4, "hugs" 5, a space before each.
  std::string text;
  const std::vector<std::pair<std::string, int>> words{
      {" hug", 10}, {" pug", 5}, {" pun", 12}, {" bun", 4}, {" hugs", 5}};
  for (const auto& [word, count] : words) {
    for (int i = 0; i < count; ++i) text += word;
  }
  const BpeModel model = read_bpe_model(train(265, {text}));
  // u g 20; Ġ p 17 (p u no more, since u g is merged); u n 16; h ug and Ġ h 15, of which
  // h has the smaller id; Ġ hug 15; Ġp un 12; Ġp ug and Ġhug s 5.
  const std::vector<std::string> expected{"u g", "Ġ p", "u n", "h ug", "Ġ hug", "Ġp un", "Ġp ug"};
  EXPECT_EQ(merges_of(model), expected);
}

TEST(BpeTrainer, HasBytesThenMergesThenSpecialTokens) {
  const std::string json =
      train(300, {"the cat sat on the mat, the rat sat on the hat. banana bandana"
                  " mississippi misty missing missive lists fists twists"});
  const BpeModel model = read_bpe_model(json);
  ASSERT_EQ(model.pieces.size(), 300u);
  EXPECT_EQ(model.pieces[0].text, "!");
  EXPECT_EQ(model.pieces[298].text, "<|begin_of_text|>");
  EXPECT_EQ(model.pieces[299].text, "<|end_of_text|>");
  EXPECT_EQ(model.pieces[299].kind, PieceKind::control);
  EXPECT_EQ(model.around.before, std::vector<std::int32_t>{298});
  EXPECT_TRUE(model.around.behind.empty());
  BpeTokenizer tokenizer{model};
  const std::string text = "the unseen größer\n\x01\xF4\x8F\xBF\xBF";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_EQ(tokenizer.encode(" the").size(), 1u);
}

TEST(BpeTrainer, TheSameTextGivesTheSameTokenizerWhereverItIsCut) {
  const std::vector<std::string> documents{"one two three one two", " one two\n",
                                           "\nthree three two"};
  const std::string json = train(262, documents);
  EXPECT_EQ(train(262, documents), json);
  EXPECT_EQ(train(262, {documents[2], documents[0], documents[1]}), json);
  EXPECT_NE(train(262, {documents[0]}), json);
}

TEST(BpeTrainer, SaysWhatIsWrong) {
  EXPECT_NE(data_error_of([] { (void)train(5000, {"too little text"}); }).find("at most"),
            std::string::npos);
  EXPECT_NE(data_error_of([] { (void)train(300, {"bad \xFF text"}); }).find("byte 4"),
            std::string::npos);
  EXPECT_THROW((void)train(258, {"text"}), Error);
  EXPECT_THROW((void)train((1u << 20) + 1, {"text"}), Error);
}

TEST(BpeTrainer, PiecesThatAreNoWordsDoNotCount) {
  const std::string text = std::string(100'000, 'z') + " abab abab";
  const BpeModel model = read_bpe_model(train(260, {text}));
  EXPECT_EQ(merges_of(model), (std::vector<std::string>{"a b", "Ġ ab"}));
}

TEST(PairCounts, OfNeighborsThatOverlapEachIsCountedAndMergedFromTheLeft) {
  PairCounts counts;
  const std::vector<std::int32_t> word{7, 7, 7, 8};
  counts.add_word(word, 5);
  using Pair = PairCounts::Pair;
  EXPECT_EQ(counts.most_frequent(), (Pair{7, 7})) << "ten times, as neighbors";
  counts.merge({7, 7}, 9);
  EXPECT_EQ(counts.most_frequent(), (Pair{7, 8})) << "and 9 7 is as frequent";
  counts.merge({7, 8}, 10);
  EXPECT_EQ(counts.most_frequent(), (Pair{9, 10}));
  counts.merge({9, 10}, 11);
  EXPECT_EQ(counts.most_frequent(), std::nullopt);
}

}  // namespace
}  // namespace ballast::data
