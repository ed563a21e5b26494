#include "base/profile.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <set>

namespace ballast {
namespace {

/// A step with a phase, two kernels in it, and a span hidden within the second: 4 events.
void record_step(Profile* profile, std::size_t number) {
  const ProfileSpan step{profile, Region::step, {}, numbered(number)};
  const ProfileSpan block{profile, Region::block_forward, {}, numbered(3)};
  { const ProfileSpan norm{profile, Region::norm_forward, moves(12)}; }
  const ProfileSpan attention{profile, Region::attention_forward, {34.0, 56.0}};
  const ProfileSpan hidden{profile, Region::product_nt, {78.0, 0.0}};
}

std::vector<Region> regions_of(const std::vector<ProfileEvent>& events) {
  std::vector<Region> regions;
  for (const auto& event : events) regions.push_back(event.region);
  return regions;
}

TEST(Profile, SpansComeInTheOrderOfTheirStartsAndKnowTheirDepth) {
  Profile profile;
  record_step(&profile, 1);
  const auto events = profile.last_steps(1);
  EXPECT_EQ(regions_of(events), (std::vector{Region::step, Region::block_forward,
                                             Region::norm_forward, Region::attention_forward}));
  ASSERT_EQ(events.size(), 4u);
  const std::array<int, 4> depths{0, 1, 2, 2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(events[i].depth, depths[i]);
  EXPECT_EQ(events[1].detail[0], 3u);
  EXPECT_EQ(events[2].work.bytes, 12.0);
  EXPECT_EQ(events[3].work.flop, 34.0);
}

TEST(Profile, ASpanLiesWithinTheOnesAroundIt) {
  Profile profile;
  record_step(&profile, 1);
  const auto events = profile.last_steps(1);
  ASSERT_EQ(events.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LE(events[i].start_ns, events[i].end_ns);
    EXPECT_GE(events[i].start_ns, events[0].start_ns);
    EXPECT_LE(events[i].end_ns, events[0].end_ns);
  }
  EXPECT_LE(events[2].end_ns, events[3].start_ns);
}

TEST(Profile, WithoutOneASpanDoesNothing) {
  record_step(nullptr, 1);
  EXPECT_TRUE(Profile{}.last_steps(9).empty());
}

TEST(Profile, GivesTheLastStepsAndWhatFollowsThem) {
  Profile profile;
  { const ProfileSpan before{&profile, Region::evaluation}; }
  for (std::size_t number = 1; number <= 5; ++number) record_step(&profile, number);
  { const ProfileSpan after{&profile, Region::checkpoint}; }
  const auto events = profile.last_steps(2);
  ASSERT_EQ(events.size(), 2u * 4 + 1);
  EXPECT_EQ(events[0].detail[0], 4u);
  EXPECT_EQ(events[4].detail[0], 5u);
  EXPECT_EQ(events.back().region, Region::checkpoint);
  EXPECT_EQ(profile.last_steps(99).size(), 5u * 4 + 1);
}

TEST(Profile, AFullRingGivesWholeStepsOnly) {
  for (const std::size_t room : {4u, 9u, 11u, 12u, 13u}) {
    SCOPED_TRACE(room);
    Profile profile{room};
    for (std::size_t number = 1; number <= 7; ++number) record_step(&profile, number);
    const auto events = profile.last_steps(99);
    // The oldest record is the measure of what is whole, so it may cost a step that is.
    EXPECT_GE(events.size(), (room - 1) / 4 * 4);
    EXPECT_LE(events.size(), room);
    ASSERT_EQ(events.size() % 4, 0u);
    for (std::size_t i = 0; i < events.size(); i += 4) {
      EXPECT_EQ(events[i].region, Region::step);
      EXPECT_EQ(events[i].detail[0], 7 - (events.size() - i) / 4 + 1);
    }
  }
}

TEST(Profile, SpansDeeperThanItCountsAreLeftOutAndEndWell) {
  Profile profile;
  {
    const ProfileSpan step{&profile, Region::step};
    std::vector<std::unique_ptr<ProfileSpan>> spans;
    for (std::size_t i = 0; i < 2 * Profile::kDeepest; ++i) {
      spans.push_back(std::make_unique<ProfileSpan>(&profile, Region::forward));
    }
    while (!spans.empty()) spans.pop_back();
    const ProfileSpan loss{&profile, Region::loss};
  }
  const auto events = profile.last_steps(1);
  ASSERT_EQ(events.size(), Profile::kDeepest + 1);
  EXPECT_EQ(events.back().region, Region::loss);
  EXPECT_EQ(events.back().depth, 1);
}

TEST(Region, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRegions; ++i) {
    const auto name = name_of(static_cast<Region>(i));
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Profile, ModelsOfAProcessRecordWhereTheFirstDoes) {
  Profile first;
  Profile second{first, 1};
  {
    const ProfileSpan step{&first, Region::step, {}, numbered(1)};
    const ProfileSpan block{&second, Region::block_forward, {}, numbered(2)};
    const ProfileSpan norm{&second, Region::norm_forward};
    const ProfileSpan hidden{&first, Region::product_nt};
  }
  const auto events = first.last_steps(1);
  ASSERT_EQ(regions_of(events),
            (std::vector{Region::step, Region::block_forward, Region::norm_forward}));
  const std::array<int, 3> models{0, 1, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].model, models[i]);
    EXPECT_EQ(events[i].depth, i);
  }
}

}  // namespace
}  // namespace ballast
