#include "train/offline/text_stream.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace ballast::train {
namespace {

std::vector<std::string> emitted(const std::vector<std::string>& pieces) {
  std::vector<std::string> out;
  const TextStream::Emit emit = [&](std::string_view text) { out.emplace_back(text); };
  TextStream stream{emit};
  for (const auto& piece : pieces) stream.add(piece);
  stream.finish();
  return out;
}

using Texts = std::vector<std::string>;

TEST(TextStream, EmitsACharacterOnceItIsWhole) {
  EXPECT_EQ(emitted({"a", "b"}), (Texts{"a", "b"}));
  EXPECT_EQ(emitted({"x\xE2", "\x82", "\xACy"}), (Texts{"x", "€y"}));
}

TEST(TextStream, ShowsBytesThatAreNoCharacter) {
  EXPECT_EQ(emitted({"a\xFF"
                     "b"}),
            (Texts{"a\uFFFD"
                   "b"}));
  EXPECT_EQ(emitted({"\xE2", "a"}), (Texts{"\uFFFD"
                                           "a"}));
}

TEST(TextStream, ShowsACharacterThatNeverEnds) {
  EXPECT_EQ(emitted({"a\xE2\x82"}), (Texts{"a", "\uFFFD"}));
}

}  // namespace
}  // namespace ballast::train
