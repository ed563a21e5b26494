#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "data/content_pass.hpp"
#include "data/dataset.hpp"
#include "data/dataset_writer.hpp"
#include "storage/files.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;
using test::TemporaryFolder;

using Ids = std::vector<std::int32_t>;

constexpr std::size_t kInBlock = std::size_t{1} << 19;  ///< tokens of 2 bytes

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

/// `tokens` tokens for training, with weights if asked for, and a few held out.
void write_dataset(const std::filesystem::path& path, std::size_t tokens, LossWeights weights) {
  const auto tokenizer = make_byte_tokenizer();
  Ids ids(tokens);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * i % 251);
  DatasetWriter writer{path, *tokenizer, weights};
  if (tokens > 0) writer.begin_document(Split::train);
  writer.append(Split::train, ids, 0.5f);
  writer.append(Split::validation, Ids(100, 7));
  writer.finish("by hand", {});
}

/// Writes over one element of a dataset, as another program might.
template <class T>
void change(const std::filesystem::path& path, const char* name, hsize_t at, hid_t type, T value) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  const hid_t space = H5Dget_space(dataset);
  const hsize_t count = 1;
  H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, nullptr, &count, nullptr);
  const hid_t memory = H5Screate_simple(1, &count, nullptr);
  EXPECT_GE(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, &value), 0);
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(dataset);
  H5Fclose(file);
}

void change_attribute(const std::filesystem::path& path, const char* name, std::uint64_t value) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  EXPECT_GE(H5Awrite(attribute, H5T_NATIVE_UINT64, &value), 0);
  H5Aclose(attribute);
  H5Fclose(file);
}

Ids inputs_of(const Dataset& dataset, std::size_t window) {
  constexpr std::size_t kLength = 64;
  Ids inputs(kLength), labels(kLength), segments(kLength);
  std::vector<float> weights(kLength);
  dataset.read_window(Split::train, kLength, window, {inputs, labels, segments, weights});
  return inputs;
}

/// Everything that verification looks at.
void verify_all(const Dataset& dataset) {
  for (std::size_t block = 0; block < dataset.blocks(); ++block) dataset.verify_block(block);
  ContentPass content{dataset};
  for (std::size_t piece = 0; piece < content.pieces(); ++piece) content.take_next();
  content.require_same_content();
}

TEST(DatasetHashes, HoldForWhatWasWritten) {
  const TemporaryFolder folder;
  for (const std::size_t tokens : {std::size_t{0}, std::size_t{1}, kInBlock, kInBlock + 1}) {
    for (const LossWeights weights : {LossWeights::none, LossWeights::stored}) {
      write_dataset(folder / "data.h5", tokens, weights);
      const Dataset dataset{folder / "data.h5"};
      const std::size_t of_tokens = (tokens + kInBlock - 1) / kInBlock + 1;  // and one held out
      const std::size_t of_weights = (tokens + kInBlock / 2 - 1) / (kInBlock / 2) + 1;
      EXPECT_EQ(dataset.blocks(), of_tokens + (weights == LossWeights::stored ? of_weights : 0));
      EXPECT_EQ(dataset.info().weighted_tokens, tokens);
      verify_all(dataset);
    }
  }
}

TEST(DatasetHashes, AChangedBlockIsNamedBeforeItsFirstUse) {
  const TemporaryFolder folder;
  write_dataset(folder / "data.h5", 2 * kInBlock, LossWeights::none);
  change<std::uint16_t>(folder / "data.h5", "train/tokens", kInBlock + 7, H5T_NATIVE_UINT16, 3);
  const Dataset dataset{folder / "data.h5"};
  dataset.verify_block(0);
  (void)inputs_of(dataset, 0);
  const auto by_check = data_error_of([&] { dataset.verify_block(1); });
  expect_contains(by_check, "data.h5' is damaged or was changed");
  expect_contains(by_check, "block 1 of 2 of 'train/tokens' (elements 524288 to 1048575)");
  const auto by_use = data_error_of([&] { (void)inputs_of(dataset, kInBlock / 64); });
  EXPECT_EQ(by_use, by_check);
}

TEST(DatasetHashes, ABlockThatIsTrustedIsNotHashedAgain) {
  const TemporaryFolder folder;
  write_dataset(folder / "data.h5", kInBlock, LossWeights::none);
  change<std::uint16_t>(folder / "data.h5", "train/tokens", 7, H5T_NATIVE_UINT16, 3);
  const Dataset dataset{folder / "data.h5"};
  dataset.trust_blocks();
  EXPECT_EQ(inputs_of(dataset, 0)[7], 3);
}

TEST(DatasetHashes, WeightsAreHashedToo) {
  const TemporaryFolder folder;
  write_dataset(folder / "data.h5", 1000, LossWeights::stored);
  change<float>(folder / "data.h5", "train/weights", 9, H5T_NATIVE_FLOAT, 0.25f);
  const Dataset dataset{folder / "data.h5"};
  expect_contains(data_error_of([&] { (void)inputs_of(dataset, 0); }), "'train/weights'");
}

TEST(DatasetHashes, AChangedHeaderIsNamedOnOpening) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::function<void(const std::filesystem::path&)>& damage) {
    write_dataset(folder / "data.h5", 1000, LossWeights::none);
    damage(folder / "data.h5");
    return data_error_of([&] { (void)Dataset{folder / "data.h5"}; });
  };
  expect_contains(refusal([](const auto& path) { change_attribute(path, "raw_bytes", 77); }),
                  "it has 'raw_bytes = 77' where 'raw_bytes = 0' was written");
  expect_contains(refusal([](const auto& path) {
                    change<std::uint64_t>(path, "train/documents", 0, H5T_NATIVE_UINT64, 5);
                  }),
                  "'train/documents: 1 elements");
  expect_contains(refusal([](const auto& path) {
                    change<std::uint16_t>(path, "tokenizer/piece_bytes", 65, H5T_NATIVE_UINT16, 2);
                  }),
                  "'tokenizer/piece_bytes: 259 elements");
  expect_contains(refusal([](const auto& path) {
                    change<std::uint64_t>(path, "blocks/train/tokens", 0, H5T_NATIVE_UINT64, 2);
                  }),
                  "'train/tokens: 1000 elements");
}

/// A file of format 1 has no hashes but the one of its content.
void make_format_1(const std::filesystem::path& path) {
  change_attribute(path, "format_version", 1);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  EXPECT_GE(H5Adelete(file, "train_weighted_tokens"), 0);
  EXPECT_GE(H5Ldelete(file, "blocks", H5P_DEFAULT), 0);
  EXPECT_GE(H5Ldelete(file, "header", H5P_DEFAULT), 0);
  H5Fclose(file);
}

TEST(DatasetHashes, Format1IsHeldAgainstItsContentHash) {
  const TemporaryFolder folder;
  const auto path = folder / "data.h5";
  write_dataset(path, kInBlock + 1, LossWeights::stored);
  make_format_1(path);
  {
    const Dataset good{path};
    EXPECT_EQ(good.blocks(), 0u);
    verify_all(good);
    (void)inputs_of(good, 0);
  }
  change<std::uint16_t>(path, "train/tokens", kInBlock - 1, H5T_NATIVE_UINT16, 3);
  expect_contains(data_error_of([&] { verify_all(Dataset{path}); }), "content_hash is");
  change<std::uint16_t>(path, "train/tokens", kInBlock - 1, H5T_NATIVE_UINT16, 259);
  expect_contains(data_error_of([&] { verify_all(Dataset{path}); }),
                  "token 259 at position 524287");
}

TEST(DatasetHashes, ClaimsBeyondTheFileAreRefused) {
  const TemporaryFolder folder;
  storage::H5Writer file{folder / "data.h5"};
  file.set_attribute("kind", "ballast token dataset");
  for (const char* name : {"tokenizer", "tokenizer_hash", "content_hash", "split_rule"}) {
    file.set_attribute(name, "bytes");
  }
  for (const char* name : {"format_version", "vocabulary", "raw_bytes", "train_max_token"}) {
    file.set_attribute(name, std::uint64_t{1});
  }
  file.set_attribute("train_tokens", std::uint64_t{1} << 31);
  file.set_attribute("validation_tokens", std::uint64_t{0});
  file.reserve<std::uint16_t>("train/tokens", std::size_t{1} << 31);
  file.close();
  expect_contains(data_error_of([&] { (void)Dataset{folder / "data.h5"}; }),
                  "claims 2147483648 elements");
}

enum class Fate { found, same, other };

Fate fate_of(const std::filesystem::path& path, const Ids& expected) {
  try {
    const Dataset dataset{path};
    verify_all(dataset);
    return inputs_of(dataset, 2) == expected ? Fate::same : Fate::other;
  } catch (const Error& error) {
    return error.code() == ExitCode::data ? Fate::found : Fate::other;
  }
}

/// A flipped bit is found, or it lies where nothing is read from.
TEST(DatasetHashes, NoFlippedBitIsReadAsData) {
  const TemporaryFolder folder;
  write_dataset(folder / "good.h5", 300, LossWeights::stored);
  const std::string good = storage::read_text(folder / "good.h5");
  const Ids expected = inputs_of(Dataset{folder / "good.h5"}, 2);
  std::size_t found = 0;
  std::string bad = good;
  for (std::size_t at = 0; at < good.size(); at += 7) {
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    std::ofstream{folder / "bad.h5", std::ios::binary} << bad;
    const Fate fate = fate_of(folder / "bad.h5", expected);
    EXPECT_NE(fate, Fate::other) << "byte " << at;
    if (fate == Fate::found) ++found;
    bad[at] = good[at];
  }
  EXPECT_GT(found, good.size() / 70);
}

}  // namespace
}  // namespace ballast::data
