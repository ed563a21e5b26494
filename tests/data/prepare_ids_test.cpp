#include <string>

#include "data/prepared.hpp"
#include "data/tokenizers/token_ids.hpp"

namespace ballast::data {
namespace {

using namespace std::string_literals;

class PrepareIds : public Prepare {
 protected:
  PrepareSummary prepare_ids(const std::string& lines, PrepareOptions options = {}) {
    return run(of(lines, std::move(options)));
  }
  std::string refusal(const std::string& lines, PrepareOptions options = {}) {
    return error(of(lines, std::move(options)));
  }
  /// `count` documents of `length` tokens, which count on below the vocabulary of 300.
  static std::string documents(int count, int length) {
    std::string text;
    for (int i = 0, id = 0; i < count; ++i) {
      text += "{\"ids\": [";
      for (int t = 0; t < length; ++t) text += fmt::format("{}{}", t == 0 ? "" : ", ", id++ % 300);
      text += "]}\n";
    }
    return text;
  }

 private:
  PrepareOptions of(const std::string& lines, PrepareOptions options) {
    write_file(in("a.jsonl"), lines);
    options.inputs = {in("a.jsonl")};
    if (options.tokenizer == "bytes") options.tokenizer = "ids:300";
    return options;
  }
};

TEST_F(PrepareIds, AreTakenAsTheyAreAndDocumentsBeginWithoutAToken) {
  const auto summary =
      prepare_ids("{\"ids\": [5, 299, 0], \"id\": \"x\"}\n{\"ids\": []}\n\n{\"ids\": [7, 7]}\n");
  EXPECT_EQ(summary.documents, 2u);
  EXPECT_EQ(summary.boundaries, Boundaries::starts);
  EXPECT_EQ(summary.empty_files, 0u);
  const Prepared prepared{output()};
  EXPECT_EQ(prepared.train, std::vector{"5 299 0 7 7"s});
  EXPECT_EQ(prepared.train_documents, (std::vector<std::uint64_t>{0, 3}));
  const DatasetInfo& info = prepared.dataset.info();
  EXPECT_EQ(info.tokenizer, "ids");
  EXPECT_EQ(info.vocabulary, 300u);
  EXPECT_EQ(info.raw_bytes, 0u);
  for (const std::uint16_t bytes : prepared.dataset.piece_bytes()) EXPECT_EQ(bytes, 0u);
}

TEST_F(PrepareIds, AWindowKnowsTheDocumentsOfItsTokens) {
  prepare_ids("{\"ids\": [1, 2]}\n{\"ids\": [3, 4, 5]}\n");
  const Dataset dataset{output()};
  std::vector<std::int32_t> inputs(4), labels(4), segments(4);
  std::vector<float> weights(4);
  dataset.read_window(Split::train, 4, 0, {inputs, labels, segments, weights});
  EXPECT_EQ(inputs, (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(labels, (std::vector{2, 3, 4, 5}));
  EXPECT_EQ(segments, (std::vector{0, 0, 1, 1}));
}

TEST_F(PrepareIds, AreSplitInBlocksOfIds) {
  const auto summary = prepare_ids(documents(30, 4000));
  EXPECT_EQ(summary.train_tokens + summary.validation_tokens, 120000u);
  EXPECT_EQ(summary.validation_tokens, 4096u);
  const Prepared prepared{output()};
  ASSERT_EQ(prepared.train.size(), 2u);
  const auto held_out = parse_token_ids(prepared.validation.at(0));
  ASSERT_TRUE(held_out.has_value());
  EXPECT_EQ(held_out->front(), 19 * 4096 % 300);
  EXPECT_EQ(prepared.dataset.info().split_rule,
            "blocks of 4096 token ids; block i is held out when i mod 20 = 19");
}

TEST_F(PrepareIds, AreSplitAtTheTailOrByDocuments) {
  auto summary =
      prepare_ids(documents(10, 10), {.split = SplitRule::tail, .validation_fraction = 0.25});
  EXPECT_EQ(summary.validation_tokens, 25u);
  summary = prepare_ids(documents(40, 10), {.split = SplitRule::documents});
  EXPECT_EQ(summary.validation_tokens, 20u);
  EXPECT_EQ(Prepared{output()}.validation.size(), 2u);
}

TEST_F(PrepareIds, WeightsAreThoseOfTheirLines) {
  prepare_ids("{\"ids\": [1, 2], \"weight\": 0.5}\n{\"weight\": 2, \"ids\": [3]}\n");
  const Dataset dataset{output()};
  std::vector<float> weights(3);
  dataset.read_weights(Split::train, 0, weights);
  EXPECT_EQ(weights, (std::vector{0.5f, 0.5f, 2.0f}));
}

TEST_F(PrepareIds, BadOnesAreNamedByFileLineAndPlace) {
  const auto expect_refused = [&](const std::string& line, const std::string& what) {
    const std::string message = refusal("{\"ids\": [1]}\n" + line + "\n");
    expect_contains(message, "a.jsonl' line 2: " + what);
    expect_contains(message, "--");  // what to do
  };
  expect_refused("{\"ids\": [1, 2, 300]}", "its \"ids\"[2] is 300, not a token id from 0 to 299");
  expect_refused("{\"ids\": [-1]}", "its \"ids\"[0] is -1, not");
  expect_refused("{\"ids\": [1, 1.5]}", "its \"ids\"[1] is 1.5, not");
  expect_refused("{\"ids\": [1, 99999999999999999999]}", "its \"ids\"[1] is 99999999999999999999");
  expect_refused("{\"ids\": [1, null]}", "its \"ids\"[1] is null, not");
  expect_refused("{\"ids\": [1, \"2\"]}", "its \"ids\"[1] is a text, not");
  expect_refused("{\"ids\": [[1]]}", "its \"ids\"[0] is a list, not");
  expect_refused("{\"ids\": \"1 2\"}", "its \"ids\" is a text, not a list");
  expect_refused("{\"text\": \"words\"}", "it has no \"ids\" with a list of token ids");
  expect_refused("[1, 2]", "this is not an object");
  expect_refused("{\"ids\": [1", "byte 11: this is not JSON");
  expect_refused("{\"ids\": [1], \"weight\": -1}", "its \"weight\" must be");
}

TEST_F(PrepareIds, LinesThatCannotBeUsedAreSkippedWhenTold) {
  const auto summary =
      prepare_ids("{\"ids\": [1, 300]}\n{\"ids\": [1, 2]}\nwords\n", {.bad_lines = BadLines::skip});
  EXPECT_EQ(summary.skipped.count, 2u);
  EXPECT_EQ(Prepared{output()}.train, std::vector{"1 2"s});
  expect_contains(refusal("words\n", {.bad_lines = BadLines::skip}), "no line holds token ids");
}

TEST_F(PrepareIds, TheFieldHasTheNameThatIsGiven) {
  prepare_ids("{\"ids\": [9], \"input_ids\": [1, 2]}\n", {.field = "input_ids"});
  EXPECT_EQ(Prepared{output()}.train, std::vector{"1 2"s});
}

TEST_F(PrepareIds, WhatWouldAddTokensOrTextIsRefused) {
  const auto expect_usage = [&](PrepareOptions options, const std::string& what) {
    try {
      prepare_ids(documents(2, 4), std::move(options));
      ADD_FAILURE() << "taken, not refused: " << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      expect_contains(error.what(), what);
    }
  };
  expect_usage({.join = ""}, "leave out --join");
  expect_usage({.mark_documents = true}, "leave out --documents");
  expect_usage({.format = FormatChoice::text}, "leave out --format text");
  for (const char* vocabulary : {"", "0", "-1", "300x", "16777217", "99999999999999999999"}) {
    expect_usage({.tokenizer = "ids:"s + vocabulary}, "takes a vocabulary of 1 to 16777216");
  }
}

TEST(IdsTokenizer, KnowsItsVocabularyAndNoTexts) {
  const auto tokenizer = make_ids_tokenizer(std::size_t{300});
  const auto again = make_tokenizer("ids", tokenizer->model());
  EXPECT_EQ(again->vocabulary(), 300u);
  EXPECT_EQ(tokenizer_hash(*again), tokenizer_hash(*tokenizer));
  EXPECT_NE(tokenizer_hash(*make_ids_tokenizer(std::size_t{301})), tokenizer_hash(*tokenizer));
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{1, 0, 299}), "1 0 299");
  expect_contains(data_error_of([&] { (void)tokenizer->encode("words"); }), "token ids");
  (void)data_error_of([&] { (void)tokenizer->piece_bytes(300); });
  const std::vector<std::uint8_t> no_number{'3', 'x'};
  expect_contains(data_error_of([&] { (void)make_tokenizer("ids", no_number); }), "'3x'");
}

TEST(TokenIds, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_token_ids(" 15 0\t7\n"), (std::vector<std::int32_t>{15, 0, 7}));
  EXPECT_EQ(parse_token_ids(""), std::vector<std::int32_t>{});
  for (const char* bad : {"1,2", "-1", "1 x", "2147483648", "1.0"}) {
    EXPECT_EQ(parse_token_ids(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace ballast::data
