#include "base/words.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string_view>

#include "data/formats.hpp"
#include "data/json_lines.hpp"
#include "data/split.hpp"
#include "train/settings/config.hpp"
#include "train/settings/model_words.hpp"

namespace ballast {
namespace {

/// Whether an enumeration has a name for a value: gcc and clang write "(Enum)4" for one that has
/// none.
template <auto value>
constexpr bool is_enumerator() {
  return std::string_view{__PRETTY_FUNCTION__}.find("value = (") == std::string_view::npos;
}

template <class Enum, std::size_t... at>
std::size_t count_enumerators(std::index_sequence<at...>) {
  return (std::size_t{is_enumerator<static_cast<Enum>(at)>()} + ...);
}

/// Enumerations that people write.
template <class Enum>
class Words : public testing::Test {};
using Enums = testing::Types<ElementType, kernels::NormKind, model::NormPlacement, fsdp::Sharding,
                             fsdp::Backend, optim::ScheduleKind, monitor::OnAlert, train::Verify,
                             train::LossScaling, train::NumericsPolicy, data::SplitRule,
                             data::BadLines, data::FormatChoice>;
TYPED_TEST_SUITE(Words, Enums);

TYPED_TEST(Words, ReadBack) {
  std::set<std::string_view> seen;
  for (const auto& [value, word] : names<TypeParam>()) {
    EXPECT_EQ(word_of(value), word);
    EXPECT_EQ(value_of<TypeParam>(word), value) << word;
    EXPECT_TRUE(seen.insert(word).second) << word << " twice";
    EXPECT_FALSE(word.empty());
  }
  EXPECT_FALSE(value_of<TypeParam>("").has_value());
  EXPECT_FALSE(value_of<TypeParam>("?").has_value());
}

TYPED_TEST(Words, NoEnumeratorIsWithoutOne) {
  constexpr std::size_t kMost = 16;
  EXPECT_EQ(names<TypeParam>().size(),
            count_enumerators<TypeParam>(std::make_index_sequence<kMost>{}));
}

}  // namespace
}  // namespace ballast
