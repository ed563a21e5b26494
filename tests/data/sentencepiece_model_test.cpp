#include "data/tokenizers/sentencepiece_model.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "data/tokenizers/make_tokenizer.hpp"
#include "support/child_memory.hpp"

namespace ballast::data {
namespace {

using test::data_error_of;
using test::in_child;
using test::kMostMemory;

/// Fields of Protocol Buffers, written by hand.
std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}
std::string bytes_field(unsigned number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}
std::string number_field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}
/// Of the kinds that SentencePiece knows: 1 normal, 2 unknown, 6 byte.
std::string piece(const std::string& text, std::uint64_t kind = 1) {
  return bytes_field(1, bytes_field(1, text) + number_field(3, kind));
}

std::vector<std::uint8_t> model(const std::string& text) { return {text.begin(), text.end()}; }

std::string refusal(const std::string& text) {
  const auto bytes = model(text);
  const auto child = in_child([&] { (void)make_tokenizer("sentencepiece", bytes); });
  EXPECT_LT(child.grown_bytes, kMostMemory + bytes.size()) << child.message;
  return child.message;
}

TEST(SentencePieceModel, OfAStrangerIsRefusedInWords) {
  EXPECT_EQ(refusal("no model"), "this is not a SentencePiece model");
  EXPECT_EQ(refusal(std::string(100, '\xff')), "this is not a SentencePiece model");
  EXPECT_EQ(refusal(varint(1 << 3 | 2) + varint(std::uint64_t{1} << 40)),
            "this is not a SentencePiece model");
  EXPECT_NE(refusal("").find("not a SentencePiece model"), std::string::npos);
}

TEST(SentencePieceModel, TablesOfANormalizerAreNotFollowed) {
  for (const unsigned number : {3u, 5u}) {
    const auto message =
        refusal(piece("<unk>", 2) + bytes_field(number, bytes_field(2, "xxxxxxxx")));
    EXPECT_NE(message.find("normalization_rule_name=identity"), std::string::npos) << message;
  }
}

TEST(SentencePieceModel, HasNoPieceThatTheLibraryThrowsAt) {
  for (const std::string& text : {std::string{}, std::string{"a\0b", 3}, std::string{"\0", 1}}) {
    EXPECT_EQ(refusal(piece("<unk>", 2) + piece(text)),
              "a piece of the SentencePiece model is empty or has a NUL");
  }
}

TEST(SentencePieceModel, HasABoundedNumberOfPieces) {
  std::string many = piece("<unk>", 2);
  for (int i = 0; i < (1 << 18); ++i) many += bytes_field(1, bytes_field(1, "x"));
  EXPECT_NE(refusal(many).find("262145 pieces"), std::string::npos);
  EXPECT_NE(
      refusal(piece(std::string(2000, 'x'))).find("piece of the SentencePiece model has 2000"),
      std::string::npos);
  std::string large = piece("<unk>", 2);
  for (int i = 0; i < 3000; ++i) large += piece(std::string(1000, 'x'));
  EXPECT_NE(refusal(large).find("the most is"), std::string::npos);
}

TEST(SentencePieceModel, AsLargeAsOnesOfUseTakesBoundedMemory) {
  std::string large = piece("<unk>", 2);
  for (int i = 0; i < 256; ++i) large += piece(fmt::format("<0x{:02X}>", i), 6);
  for (int i = 0; large.size() < (std::size_t{4} << 20) && i < 200000; ++i) {
    large += piece(fmt::format("w{}", i));
  }
  const auto message = refusal(large);
  EXPECT_FALSE(message.empty());
}

}  // namespace
}  // namespace ballast::data
