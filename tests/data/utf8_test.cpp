#include "data/unicode/utf8.hpp"

#include <gtest/gtest.h>

#include "data/code_points.hpp"

namespace ballast::data {
namespace {

using test::utf8_of;

bool valid(std::string_view text) { return check_utf8(text).valid == text.size(); }

TEST(Utf8, EveryCodePointButSurrogatesIsValid) {
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(valid(utf8_of(code)), !surrogate) << std::hex << code;
  }
  EXPECT_FALSE(valid(utf8_of(0x110000)));
}

TEST(Utf8, OverlongFormsAndStrayBytesAreNot) {
  for (const std::string_view text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\x80", "\xBF",
        "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xC3(", "\xE2\x82(", "\xF0\x9F\x98("}) {
    const auto check = check_utf8(text);
    EXPECT_EQ(check.valid, 0u);
    EXPECT_FALSE(check.unfinished);
  }
}

TEST(Utf8, FirstBadByteIsFoundAtEveryPlace) {
  for (std::size_t at = 0; at < 40; ++at) {
    std::string text(40, 'x');
    text[at] = '\xFF';
    EXPECT_EQ(check_utf8(text).valid, at);
  }
}

TEST(Utf8, BegunCharactersAreToldFromBadOnes) {
  const std::string text = "abcdefgh" + utf8_of(0x1F600);
  for (std::size_t size = 9; size < text.size(); ++size) {
    const auto check = check_utf8(std::string_view{text}.substr(0, size));
    EXPECT_EQ(check.valid, 8u);
    EXPECT_TRUE(check.unfinished) << size;
  }
}

TEST(Utf8, CharacterStartMovesBack) {
  const std::string text = "a" + utf8_of(0x20AC) + "b";
  EXPECT_EQ(character_start(text, 1), 1u);
  EXPECT_EQ(character_start(text, 2), 1u);
  EXPECT_EQ(character_start(text, 3), 1u);
  EXPECT_EQ(character_start(text, 4), 4u);
  EXPECT_EQ(character_start(text, 5), 5u);
}

}  // namespace
}  // namespace ballast::data
