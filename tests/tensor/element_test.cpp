#include "tensor/element.hpp"

#include <array>
#include <gtest/gtest.h>
#include <vector>

namespace ballast {
namespace {

TEST(Elements, CountInElementsWhateverTheirSize) {
  std::array<std::byte, 40> memory{};
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    const std::size_t width = type == ElementType::fp32 ? 4 : 2;
    const Elements all{memory.data(), 10, type};
    EXPECT_EQ(all.bytes().size(), 10 * width);
    const Elements part = all.subspan(3, 5);
    EXPECT_EQ(part.type(), type);
    EXPECT_EQ(part.size(), 5);
    EXPECT_EQ(part.data(), memory.data() + 3 * width);
    EXPECT_EQ(part.first(2).bytes().size(), 2 * width);
  }
}

TEST(Elements, ViewTheMemoryTheyWereMadeOf) {
  std::vector<float> values{1.0f, 2.0f, 3.0f};
  const Elements written{std::span{values}};
  written.floats()[1] = 7.0f;
  EXPECT_EQ(values[1], 7.0f);
  const ConstElements read = written;
  EXPECT_EQ(read.floats().data(), values.data());
  EXPECT_TRUE(ConstElements{}.empty());
}

TEST(Elements, AreNotReadAsAnotherType) {
  std::array<std::byte, 16> memory{};
  for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
    const Elements narrow{memory.data(), 4, type};
    EXPECT_EQ(narrow.halves().size(), 4);
    EXPECT_THROW(static_cast<void>(narrow.floats()), Error);
  }
  const Elements wide{memory.data(), 4, ElementType::fp32};
  EXPECT_EQ(wide.floats().size(), 4);
  EXPECT_THROW(static_cast<void>(wide.halves()), Error);
}

}  // namespace
}  // namespace ballast
