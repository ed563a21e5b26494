#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>

#include "formats/gguf/blocks/block_codec.hpp"
#include "formats/gguf/blocks/block_inputs.hpp"

// Bytes are ggml's: tests/fixtures/blocks/ggml_hashes.txt is what ggml_hashes.py got of it.
namespace ballast::formats {
namespace {

constexpr std::array kTypes{BlockType::q4_0, BlockType::q4_1, BlockType::q5_0, BlockType::q5_1,
                            BlockType::q8_0, BlockType::q4_k, BlockType::q5_k, BlockType::q6_k};

/// "TYPE WAY KIND" to the hash.
std::map<std::string, std::uint64_t> hashes_of_ggml() {
  std::map<std::string, std::uint64_t> hashes;
  std::ifstream file{std::string{BALLAST_FIXTURES} + "/blocks/ggml_hashes.txt"};
  std::string type, way, kind, hash;
  while (file >> type >> way >> kind >> hash) {
    hashes[type + ' ' + way + ' ' + kind] = std::stoull(hash, nullptr, 16);
  }
  return hashes;
}

std::string line_of(BlockType type, std::string_view way, std::string_view kind) {
  std::ostringstream line;
  line << name_of(type) << ' ' << way << ' ' << kind;
  return line.str();
}

TEST(GgmlBlocks, QuantizedBytesAreThoseOfGgml) {
  const auto hashes = hashes_of_ggml();
  const auto importance = test::column_importance();
  std::size_t compared = 0;
  for (const auto& kind : test::kinds()) {
    const auto numbers = test::numbers_of(kind.make);
    for (const BlockType type : kTypes) {
      std::vector<std::uint8_t> bytes(stored_bytes(type, numbers.size()), 0xA5);
      ASSERT_EQ(quantize(type, numbers, bytes), std::nullopt);
      EXPECT_EQ(test::hash_of_words(bytes), hashes.at(line_of(type, "plain", kind.name)))
          << line_of(type, "plain", kind.name);
      ASSERT_EQ(quantize_weighted(type, numbers, importance, bytes), std::nullopt);
      EXPECT_EQ(test::hash_of_words(bytes), hashes.at(line_of(type, "weighted", kind.name)))
          << line_of(type, "weighted", kind.name);
      compared += 2;
    }
  }
  EXPECT_EQ(compared + kTypes.size(), hashes.size()) << "lines of ggml_hashes.txt";
}

TEST(GgmlBlocks, ValuesOfRandomBlocksAreThoseOfGgml) {
  constexpr std::size_t kBlocks = 512;
  const auto hashes = hashes_of_ggml();
  for (const BlockType type : kTypes) {
    const BlockLayout layout = layout_of(type);
    const bool has_scale_last = type == BlockType::q6_k;
    const bool has_minimum = type == BlockType::q4_1 || type == BlockType::q5_1 ||
                             type == BlockType::q4_k || type == BlockType::q5_k;
    const std::array<std::size_t, 2> scales{has_scale_last ? 208u : 0u, has_minimum ? 2u : 0u};
    const auto bytes =
        test::random_blocks(kBlocks, layout.bytes, std::span{scales}.first(has_minimum ? 2 : 1));
    std::vector<float> values(kBlocks * layout.values);
    dequantize(type, bytes, values);
    std::vector<std::uint8_t> stored(values.size() * sizeof(float));
    std::memcpy(stored.data(), values.data(), stored.size());
    EXPECT_EQ(test::hash_of_words(stored), hashes.at(line_of(type, "decoded", "random")))
        << name_of(type);
  }
}

TEST(GgmlBlocks, WhatIsQuantizedInPiecesIsTheSame) {
  constexpr std::size_t kPiece = 1024;
  const auto numbers = test::normal_numbers();
  for (const BlockType type : kTypes) {
    std::vector<std::uint8_t> whole(stored_bytes(type, numbers.size()));
    std::vector<std::uint8_t> pieces(whole.size());
    const std::size_t piece_bytes = stored_bytes(type, kPiece);
    ASSERT_FALSE(quantize(type, numbers, whole));
    for (std::size_t piece = 0; piece < numbers.size() / kPiece; ++piece) {
      ASSERT_FALSE(quantize(type, std::span{numbers}.subspan(piece * kPiece, kPiece),
                            std::span{pieces}.subspan(piece * piece_bytes, piece_bytes)));
    }
    EXPECT_EQ(whole, pieces) << name_of(type);
  }
}

}  // namespace
}  // namespace ballast::formats
