#include "data/dataset.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>

#include "data/dataset_writer.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;
using test::TemporaryFolder;

using Ids = std::vector<std::int32_t>;

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

struct Window {
  explicit Window(std::size_t seq_len)
      : inputs(seq_len), labels(seq_len), segments(seq_len), weights(seq_len) {}
  Ids inputs, labels, segments;
  std::vector<float> weights;
};

Window window_of(const Dataset& dataset, Split split, std::size_t seq_len, std::size_t index) {
  Window window{seq_len};
  dataset.read_window(split, seq_len, index,
                      {window.inputs, window.labels, window.segments, window.weights});
  return window;
}

Ids counting(std::int32_t first, std::size_t count) {
  Ids ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

/// Train: segments of tokens 0-9, 10-13, 14; validation: 20-29, 30-34.
DatasetInfo write_small(const std::filesystem::path& path,
                        LossWeights weights = LossWeights::none) {
  const auto tokenizer = make_byte_tokenizer();
  DatasetWriter writer{path, *tokenizer, weights};
  const auto segment = [&](Split split, std::int32_t first, std::size_t count) {
    writer.begin_segment(split);
    writer.append(split, counting(first, count), static_cast<float>(first + 1));
  };
  segment(Split::train, 0, 10);
  segment(Split::validation, 20, 10);
  segment(Split::train, 10, 4);
  segment(Split::validation, 30, 5);
  segment(Split::train, 14, 1);
  return writer.finish("by hand", std::array{SourceRecord{"a.txt", 30, {}}});
}

TEST(Dataset, SaysWhatItIs) {
  const TemporaryFolder folder;
  const auto written = write_small(folder / "data.h5");
  const Dataset dataset{folder / "data.h5"};
  const auto& info = dataset.info();
  EXPECT_EQ(info.format_version, 2u);
  EXPECT_EQ(info.tokenizer, "bytes");
  EXPECT_EQ(info.tokenizer_hash, tokenizer_hash(*make_byte_tokenizer()));
  EXPECT_EQ(info.vocabulary, 259u);
  EXPECT_EQ(info.train_tokens, 15u);
  EXPECT_EQ(info.validation_tokens, 15u);
  EXPECT_EQ(info.raw_bytes, 30u);
  EXPECT_EQ(info.content_hash, written.content_hash);
  EXPECT_EQ(info.split_rule, "by hand");
  EXPECT_EQ(dataset.piece_bytes().size(), 259u);
  EXPECT_EQ(dataset.piece_bytes()[255], 1u);
  EXPECT_EQ(dataset.piece_bytes()[256], 0u);
  EXPECT_TRUE(dataset.tokenizer_model().empty());
  EXPECT_FALSE(dataset.has_weights());
  expect_contains(dataset.sources(), R"("name":"a.txt")");
}

TEST(Dataset, TrainWindowsAreFullAndStayInTheirSegment) {
  const TemporaryFolder folder;
  write_small(folder / "data.h5");
  const Dataset dataset{folder / "data.h5"};
  ASSERT_EQ(dataset.windows(Split::train, 3), 4u);  // 3 of ten tokens, 1 of four, 0 of one
  const std::vector<std::int32_t> firsts{0, 3, 6, 10};
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    const auto window = window_of(dataset, Split::train, 3, i);
    EXPECT_EQ(window.inputs, counting(firsts[i], 3));
    EXPECT_EQ(window.labels, counting(firsts[i] + 1, 3));
    EXPECT_EQ(window.segments, (Ids{0, 0, 0}));
    EXPECT_EQ(window.weights, (std::vector<float>{1, 1, 1}));
  }
  EXPECT_EQ(dataset.windows(Split::train, 9), 1u);
  EXPECT_EQ(dataset.windows(Split::train, 1), 12u) << "another seq_len in between";
  EXPECT_EQ(window_of(dataset, Split::train, 9, 0).labels, counting(1, 9));
}

TEST(Dataset, ValidationLabelsEveryTokenButTheFirstOfASegmentOnce) {
  const TemporaryFolder folder;
  write_small(folder / "data.h5");
  const Dataset dataset{folder / "data.h5"};
  for (const std::size_t seq_len : {1u, 2u, 3u, 4u, 5u, 9u, 10u, 100u}) {
    Ids labels;
    for (std::size_t i = 0; i < dataset.windows(Split::validation, seq_len); ++i) {
      const auto window = window_of(dataset, Split::validation, seq_len, i);
      for (std::size_t t = 0; t < seq_len; ++t) {
        if (window.labels[t] == kIgnore) {
          EXPECT_EQ(window.inputs[t], 0);
          continue;
        }
        EXPECT_EQ(window.inputs[t] + 1, window.labels[t]);
        labels.push_back(window.labels[t]);
      }
    }
    auto expected = counting(21, 9);
    const auto second = counting(31, 4);
    expected.insert(expected.end(), second.begin(), second.end());
    EXPECT_EQ(labels, expected) << seq_len;
  }
  EXPECT_EQ(dataset.windows(Split::validation, 4), 4u);
  EXPECT_EQ(window_of(dataset, Split::validation, 4, 2).labels, (Ids{29, -1, -1, -1}));
}

TEST(Dataset, WeightsAreThoseOfTheLabels) {
  const TemporaryFolder folder;
  const auto tokenizer = make_byte_tokenizer();
  {
    DatasetWriter writer{folder / "data.h5", *tokenizer, LossWeights::stored};
    writer.append(Split::train, counting(0, 3), 0.0f);
    writer.append(Split::train, counting(3, 2), 0.5f);
    writer.append(Split::validation, counting(0, 2), 2.0f);
    writer.finish("by hand", {});
  }
  const Dataset dataset{folder / "data.h5"};
  EXPECT_TRUE(dataset.has_weights());
  EXPECT_EQ(window_of(dataset, Split::train, 4, 0).weights, (std::vector<float>{0, 0, 0.5, 0.5}));
  EXPECT_EQ(window_of(dataset, Split::validation, 3, 0).weights, (std::vector<float>{2, 1, 1}));
}

TEST(Dataset, WeightsThatAreNoWeightsAreNamed) {
  const TemporaryFolder folder;
  for (const float bad : {-1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    {
      const auto tokenizer = make_byte_tokenizer();
      DatasetWriter writer{folder / "data.h5", *tokenizer, LossWeights::stored};
      writer.append(Split::train, counting(0, 3), 1.0f);
      writer.append(Split::train, counting(3, 2), bad);
      writer.finish("by hand", {});
    }
    const Dataset dataset{folder / "data.h5"};
    const auto message = data_error_of([&] { (void)window_of(dataset, Split::train, 4, 0); });
    expect_contains(message, "at position 3 of 'train/weights'");
  }
}

TEST(Dataset, DocumentsAreNumberedWithinTheWindow) {
  const TemporaryFolder folder;
  const auto tokenizer = make_byte_tokenizer();
  {
    DatasetWriter writer{folder / "data.h5", *tokenizer, LossWeights::none};
    for (const std::size_t length : {2u, 3u, 1u, 6u}) {  // start at 0, 2, 5, 6
      writer.begin_document(Split::train);
      writer.append(Split::train, counting(0, length));
    }
    writer.finish("by hand", {});
  }
  const Dataset dataset{folder / "data.h5"};
  EXPECT_EQ(window_of(dataset, Split::train, 11, 0).segments,
            (Ids{0, 0, 1, 1, 1, 2, 3, 3, 3, 3, 3}));
  EXPECT_EQ(window_of(dataset, Split::train, 3, 1).segments, (Ids{0, 0, 1}));
  EXPECT_EQ(window_of(dataset, Split::train, 3, 2).segments, (Ids{0, 0, 0}));
}

TEST(Dataset, LargeVocabulariesTakeWiderTokens) {
  class Wide final : public Tokenizer {
   public:
    std::string name() const override { return "bytes"; }
    std::size_t vocabulary() const override { return 70000; }
    Ids encode_part(std::string_view, TextPart) const override { return {}; }
    std::string decode(std::span<const std::int32_t>) const override { return {}; }
    std::size_t piece_bytes(std::int32_t) const override { return 1; }
    std::int32_t bos() const override { return -1; }
    std::int32_t eos() const override { return -1; }
    std::vector<std::uint8_t> model() const override { return {}; }
    std::unique_ptr<Tokenizer> twin() const override { return nullptr; }
    std::optional<TokenizerContent> content() const override { return std::nullopt; }
  };
  const TemporaryFolder folder;
  {
    const Wide tokenizer;
    DatasetWriter writer{folder / "wide.h5", tokenizer, LossWeights::none};
    writer.append(Split::train, Ids{69999, 65536, 1});
    writer.finish("by hand", {});
  }
  const Dataset dataset{folder / "wide.h5"};
  EXPECT_EQ(window_of(dataset, Split::train, 2, 0).inputs, (Ids{69999, 65536}));
  EXPECT_EQ(storage::H5Reader{folder / "wide.h5"}.element_size("train/tokens"), 4u);
  write_small(folder / "narrow.h5");
  EXPECT_EQ(storage::H5Reader{folder / "narrow.h5"}.element_size("train/tokens"), 2u);
}

TEST(Dataset, MoreTokensThanAChunkComeBack) {
  const TemporaryFolder folder;
  const auto tokenizer = make_byte_tokenizer();
  Ids all(200001);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i * i % 257);
  {
    DatasetWriter writer{folder / "data.h5", *tokenizer, LossWeights::none};
    writer.append(Split::train, all);
    writer.finish("by hand", {});
  }
  const Dataset dataset{folder / "data.h5"};
  ASSERT_EQ(dataset.windows(Split::train, 1000), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    const auto window = window_of(dataset, Split::train, 1000, i);
    EXPECT_TRUE(std::equal(window.labels.begin(), window.labels.end(),
                           all.begin() + static_cast<std::ptrdiff_t>(i * 1000 + 1)));
  }
}

TEST(Dataset, HashChangesWithTokensSegmentsDocumentsAndWeights) {
  const TemporaryFolder folder;
  const auto tokenizer = make_byte_tokenizer();
  const auto hash = [&](int change) {
    DatasetWriter writer{folder / "data.h5", *tokenizer,
                         change >= 4 ? LossWeights::stored : LossWeights::none};
    if (change == 1) writer.begin_document(Split::train);
    writer.append(Split::train, Ids{1, 2, change == 2 ? 4 : 3}, change == 5 ? 0.5f : 1.0f);
    if (change == 3) writer.begin_segment(Split::train);
    writer.append(Split::train, Ids{5});
    return writer.finish("by hand", {}).content_hash;
  };
  std::vector<std::string> hashes;
  for (int change = 0; change < 6; ++change) hashes.push_back(hash(change));
  EXPECT_EQ(hash(0), hashes[0]);
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
}

TEST(Dataset, TooShortForAWindowSaysWhatFits) {
  const TemporaryFolder folder;
  write_small(folder / "data.h5");
  const Dataset dataset{folder / "data.h5"};
  const auto message = data_error_of([&] { (void)dataset.windows(Split::train, 10); });
  expect_contains(message, "longest train segment has 10 tokens");
  expect_contains(message, "prepare it again");  // no length reaches most of three short segments
  EXPECT_THROW((void)dataset.windows(Split::train, 0), Error);
}

TEST(Dataset, MissingForeignAndTruncatedFilesAreTold) {
  const TemporaryFolder folder;
  const auto open = [&](const std::string& name) {
    return data_error_of([&] { (void)Dataset{folder / name}; });
  };
  expect_contains(open("missing.h5"), "does not exist");
  std::ofstream{folder / "text.h5"} << "plain text";
  expect_contains(open("text.h5"), "not an HDF5 file");
  storage::H5Writer other{folder / "other.h5"};
  other.close();
  expect_contains(open("other.h5"), "not a token dataset");
  write_small(folder / "data.h5");
  std::filesystem::resize_file(folder / "data.h5",
                               std::filesystem::file_size(folder / "data.h5") - 100);
  expect_contains(open("data.h5"), "truncated or damaged");
}

/// What `write_small` writes, through the file layer alone, so that each part can be wrong.
struct RawDataset {
  std::uint64_t version = 1;
  std::uint64_t max_token = 14;
  std::uint64_t stated_tokens = 15;
  std::vector<std::uint64_t> segments{0, 10, 15};
  std::vector<std::uint64_t> documents = {};
  std::vector<std::uint16_t> tokens = std::vector<std::uint16_t>(15, 7);
  std::size_t pieces = 259;

  void write(const std::filesystem::path& path) const {
    storage::H5Writer file{path};
    file.set_attribute("kind", "ballast token dataset");
    file.set_attribute("format_version", version);
    file.set_attribute("vocabulary", std::uint64_t{259});
    file.set_attribute("raw_bytes", std::uint64_t{15});
    for (const char* name : {"tokenizer", "tokenizer_hash", "content_hash", "split_rule"}) {
      file.set_attribute(name, "bytes");
    }
    file.write<std::uint16_t>("tokenizer/piece_bytes", std::vector<std::uint16_t>(pieces, 1));
    for (const std::string split : {"train", "validation"}) {
      file.set_attribute(split + "_tokens", stated_tokens);
      file.set_attribute(split + "_max_token", max_token);
      file.write<std::uint16_t>(split + "/tokens", tokens);
      file.write<std::uint64_t>(split + "/segments", segments);
      file.write<std::uint64_t>(split + "/documents", documents);
    }
    file.close();
  }
};

TEST(Dataset, PartsThatDoNotFitAreRefusedOnOpening) {
  const TemporaryFolder folder;
  RawDataset{}.write(folder / "good.h5");
  const Dataset good{folder / "good.h5"};
  const auto refusal = [&](const RawDataset& raw) {
    raw.write(folder / "bad.h5");
    const auto message = data_error_of([&] { (void)Dataset{folder / "bad.h5"}; });
    expect_contains(message, "bad.h5");
    return message;
  };
  expect_contains(refusal({.version = 3}), "format 3");
  expect_contains(refusal({.version = 2}), "train_weighted_tokens");
  expect_contains(refusal({.max_token = 259}), "token 259 in 'train/tokens'");
  expect_contains(refusal({.stated_tokens = 16}), "15 elements where 16 are stated");
  expect_contains(refusal({.segments = {0, 10, 14}}), "train/segments");
  expect_contains(refusal({.segments = {0, 10, 10, 15}}), "train/segments");
  expect_contains(refusal({.segments = {}}), "train/segments");
  expect_contains(refusal({.documents = {3, 3}}), "train/documents");
  expect_contains(refusal({.documents = {15}}), "train/documents");
  expect_contains(refusal({.pieces = 258}), "piece_bytes");
}

TEST(Dataset, TokenAboveTheVocabularyIsNamedWithItsPosition) {
  const TemporaryFolder folder;
  RawDataset raw;
  raw.tokens[12] = 40000;
  raw.write(folder / "data.h5");
  const Dataset dataset{folder / "data.h5"};
  (void)window_of(dataset, Split::train, 4, 0);
  const auto message = data_error_of([&] { (void)window_of(dataset, Split::train, 4, 2); });
  expect_contains(message, "data.h5");
  expect_contains(message, "token 40000 at position 12 of 'train/tokens'");
  expect_contains(message, "vocabulary of 259");
}

}  // namespace
}  // namespace ballast::data
