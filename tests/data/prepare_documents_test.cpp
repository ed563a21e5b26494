#include <string>

#include "data/prepared.hpp"
#include "storage/files.hpp"

namespace ballast::data {
namespace {

using namespace std::string_literals;

class PrepareDocuments : public Prepare {
 protected:
  std::string lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += fmt::format("{{\"text\": \"document {}. \"}}\n", i);
    return text;
  }
};

TEST_F(PrepareDocuments, SeveralAreMarkedAndOneIsNot) {
  write_file(in("a.jsonl"), lines(2));
  auto summary = run(in("a.jsonl"));
  EXPECT_EQ(summary.boundaries, Boundaries::marked);
  EXPECT_EQ(Prepared{output()}.train_documents, (std::vector<std::uint64_t>{0, 13}));
  write_file(in("a.jsonl"), lines(1));
  summary = run(in("a.jsonl"));
  EXPECT_EQ(summary.boundaries, Boundaries::none);
  EXPECT_TRUE(Prepared{output()}.train_documents.empty());
  EXPECT_EQ(summary.train_tokens, 12u);
  summary = run(PrepareOptions{.inputs = {in("a.jsonl")}, .mark_documents = true});
  EXPECT_EQ(summary.boundaries, Boundaries::marked);
  EXPECT_EQ(summary.train_tokens, 13u);
}

TEST_F(PrepareDocuments, AreJoinedWhenToldByTheTextThatIsGiven) {
  write_file(in("d/1.txt"), "the first ends");
  write_file(in("d/2.txt"), "here begins the second");
  auto summary = run({.inputs = {in("d")}, .join = ""});
  EXPECT_EQ(summary.boundaries, Boundaries::joined);
  EXPECT_EQ(Prepared{output()}.train, std::vector{"the first endshere begins the second"s});
  run({.inputs = {in("d")}, .join = "\n\n"});
  EXPECT_EQ(Prepared{output()}.train, std::vector{"the first ends\n\nhere begins the second"s});
  EXPECT_TRUE(Prepared{output()}.train_documents.empty());
  // The text between belongs to the document before it, and is counted by the rules that split.
  run({.inputs = {in("d")}, .split = SplitRule::documents, .join = "--"});
  EXPECT_EQ(Prepared{output()}.train, std::vector{"the first ends--"s});
  EXPECT_EQ(Prepared{output()}.validation, std::vector{"here begins the second"s});
  run({.inputs = {in("d")},
       .split = SplitRule::tail,
       .validation_fraction = 22.0 / 38.0,
       .join = "--"});
  EXPECT_EQ(Prepared{output()}.validation, std::vector{"here begins the second"s});
  EXPECT_THROW(run({.inputs = {in("d")}, .mark_documents = true, .join = ""}), Error);
}

TEST_F(PrepareDocuments, ShortOnesAreNotLostToRemaindersWhenWholeOnesAreHeldOut) {
  write_file(in("a.jsonl"), lines(2000));
  const auto summary = run({.inputs = {in("a.jsonl")}, .split = SplitRule::documents});
  EXPECT_EQ(summary.longest_train_segment, summary.train_tokens);
  const Prepared prepared{output()};
  ASSERT_EQ(prepared.train.size(), 1u);
  EXPECT_EQ(prepared.validation.size(), 100u);
  EXPECT_EQ(prepared.validation[1], "document 39. ");
  EXPECT_EQ(prepared.train_documents.size(), 1900u);
  for (const std::size_t seq_len : {64u, 512u, 1000u}) {
    const auto windows = prepared.dataset.windows(Split::train, seq_len);
    EXPECT_LE(summary.train_tokens - windows * seq_len, seq_len) << seq_len;
  }
}

TEST_F(PrepareDocuments, LinesThatCannotBeUsedAreSkippedWhenToldAndCounted) {
  write_file(in("a.jsonl"),
             "{\"text\": \"one \"}\n{\"text\": null}\n{\"text\": \"a \\ud83d b\"}\n"
             "{\"body\": \"x\"}\nnot JSON\n[]\n{\"text\": \"two\"}\n");
  expect_contains(error(in("a.jsonl")),
                  "line 2: its \"text\" is null, not a text; --bad-lines skip");
  for (const std::string tokenizer : {"bytes", "sentencepiece:300"}) {
    PrepareOptions options{.inputs = {in("a.jsonl")}, .bad_lines = BadLines::skip};
    if (tokenizer != "bytes") {
      write_file(in("b.jsonl"), lines(3000));
      options.inputs.push_back(in("b.jsonl"));
      options.tokenizer = tokenizer;
    }
    const auto summary = run(options);
    EXPECT_EQ(summary.skipped.count, 5u);
    ASSERT_EQ(summary.skipped.examples.size(), SkippedLines::kExamples);
    expect_contains(summary.skipped.examples[0], "a.jsonl' line 2: its \"text\" is null");
    expect_contains(summary.skipped.examples[1], "line 3: byte 19: this is not JSON");
    expect_contains(summary.skipped.examples[2], "texts named \"body\": choose one with --field");
    EXPECT_TRUE(Prepared{output()}.train[0].starts_with("one two"));
  }
  write_file(in("a.jsonl"), "{\"text\": null}\n");
  expect_contains(error({.inputs = {in("a.jsonl")}, .bad_lines = BadLines::skip}),
                  "no line holds a text that can be used; the first: '" + in("a.jsonl"));
}

TEST_F(PrepareDocuments, AFullDiskIsNoBadLine) {
  write_file(in("a.jsonl"), lines(3));
  struct Failing final : DocumentSink {
    void begin_document(float) override { throw data_error("the disk is full"); }
    void text(std::string_view) override {}
    void ids(std::span<const std::int32_t>) override {}
  } sink;
  const Source source{in("a.jsonl"), "a.jsonl", Origin::named, SourceFormat::jsonl};
  const ReadRules rules{.bad_lines = BadLines::skip};
  const LineSkipped skipped = [](const std::string& words) { ADD_FAILURE() << words; };
  JsonLines reader{source, rules, sink, skipped};
  EXPECT_THROW(reader.take(lines(1)), Error);
}

TEST_F(PrepareDocuments, TheFieldOfTheTextHasTheNameThatIsGiven) {
  write_file(in("a.jsonl"),
             "{\"content\": \"alpha\", \"text\": 7, \"meta\": {\"content\": \"no\"}}\n");
  run({.inputs = {in("a.jsonl")}, .field = "content"});
  EXPECT_EQ(Prepared{output()}.train, std::vector{"alpha"s});
}

TEST_F(PrepareDocuments, AnOverlongLineIsPassedOverWithoutBeingHeld) {
  const std::string half(40u << 20, 'x');
  write_file(in("a.jsonl"), lines(1) + "{\"text\": \"" + half + half + "\"}\n" + lines(1));
  expect_contains(error(in("a.jsonl")), "line 2: longer than 64.0 MiB; --bad-lines skip");
  const auto summary = run({.inputs = {in("a.jsonl")}, .bad_lines = BadLines::skip});
  EXPECT_EQ(summary.skipped.count, 1u);
  EXPECT_EQ(Prepared{output()}.train, std::vector{"document 0. document 0. "s});
}

TEST_F(PrepareDocuments, DeepJsonCostsNoStack) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  const std::string objects = [] {
    std::string text;
    for (int i = 0; i < 300'000; ++i) text += "{\"text\":";
    return text;
  }();
  write_file(in("a.jsonl"), "{\"text\": \"kept\", \"meta\": " + deep + "}\n");
  run(in("a.jsonl"));
  EXPECT_EQ(Prepared{output()}.train, std::vector{"kept"s});
  for (const std::string& line : {deep, objects, "{\"text\": " + deep + "}"}) {
    write_file(in("a.jsonl"), line + "\n");
    expect_contains(error(in("a.jsonl")), "a.jsonl' line 1: ");
  }
}

}  // namespace
}  // namespace ballast::data
