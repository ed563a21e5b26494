#include "optim/adamw.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/values.hpp"
#include "optim/owned_master.hpp"

namespace ballast::optim {
namespace {

constexpr AdamWConfig kConfig{};

/// Master weights from 0 on, with the moments beside them.
struct Owned : OwnedMaster {
  Owned(ElementType type, const std::vector<float>& masters)
      : OwnedMaster{type, masters}, moment1(masters.size()), moment2(masters.size()) {}

  [[nodiscard]] AdamW::Spans spans(std::span<const float> gradient) {
    return {gradient, slice(), moment1, moment2};
  }
  [[nodiscard]] std::vector<float> masters() const {
    std::vector<float> values(moment1.size());
    MasterWeights({slice()}).read(0, values);
    return values;
  }

  std::vector<float> moment1;
  std::vector<float> moment2;
};

/// Decayed, passed over, not decayed, at odd places.
std::vector<Group> groups_of(std::size_t count) {
  if (count < 20) return {{0, count, true}};
  const std::size_t middle = count / 3 + 1;
  return {{0, middle, true}, {middle + 5, count - middle - 5, false}};
}

TEST(AdamW, EveryKindOfMasterGoesThroughTheSameBits) {
  const AdamW adamw{kConfig};
  for (const std::size_t count : {1u, 7u, 17u, 333u, 1024u, 2051u}) {
    const auto start = random_values(1, count);
    Owned fp32{ElementType::fp32, start};
    Owned bf16{ElementType::bf16, start};
    Owned fp16{ElementType::fp16, start};
    const auto groups = groups_of(count);
    for (std::uint32_t t = 1; t <= 5; ++t) {
      const auto gradient = random_values(10 + t, count, 3.0);
      for (Owned* owned : {&fp32, &bf16, &fp16}) {
        adamw.update(t, 1e-3, 0.37, groups, owned->spans(gradient));
      }
    }
    for (const Owned* owned : {&bf16, &fp16}) {
      EXPECT_EQ(owned->masters(), fp32.masters()) << count;
      EXPECT_EQ(owned->moment1, fp32.moment1) << count;
      EXPECT_EQ(owned->moment2, fp32.moment2) << count;
    }
    EXPECT_NE(fp32.masters(), start);
  }
}

TEST(AdamW, WhatTheModelComputesWithIsTheMasterRounded) {
  const std::size_t count = 777;
  const auto gradient = random_values(2, count);
  for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
    Owned owned{type, random_values(1, count)};
    const auto before = owned.compute();
    AdamW{kConfig}.update(1, 1e-2, 1.0, std::vector<Group>{{0, count, true}},
                          owned.spans(gradient));
    const auto masters = owned.masters();
    const auto compute = owned.compute();
    EXPECT_NE(compute, before);
    const float half_ulp = type == ElementType::bf16 ? 0x1p-8f : 0x1p-11f;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_LE(std::abs(compute[i] - masters[i]),
                half_ulp * std::max(std::abs(masters[i]), 0x1p-14f))
          << name_of(type) << " at " << i;
    }
  }
}

TEST(AdamW, UpdatesFarBelowBf16sSpacingAddUp) {
  const std::vector<float> start(33, 1.0f);
  Owned bf16{ElementType::bf16, start};
  const std::vector<float> gradient(33, 1.0f);
  for (std::uint64_t t = 1; t <= 100; ++t) {
    AdamW{{.weight_decay = 0.0}}.update(t, 1e-4, 1.0, std::vector<Group>{{0, 33, false}},
                                        bf16.spans(gradient));
  }
  for (const float master : bf16.masters()) ASSERT_NEAR(master, 0.99f, 1e-4f);
  for (const float weight : bf16.compute()) ASSERT_NEAR(weight, 0.99f, 0.004f);
}

TEST(AdamW, OnlyTheGroupsAreTouchedAndOnlyTheDecayedDecay) {
  const std::size_t count = 100;
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    const auto start = random_values(1, count);
    Owned owned{type, start};
    const std::vector<float> no_gradient(count, 0.0f);
    AdamW{kConfig}.update(3, 0.5, 1.0, std::vector<Group>{{3, 30, true}, {40, 20, false}},
                          owned.spans(no_gradient));
    const auto masters = owned.masters();
    for (std::size_t i = 0; i < count; ++i) {
      const bool decayed = i >= 3 && i < 33;
      ASSERT_EQ(masters[i], decayed ? start[i] * 0.95f : start[i]) << name_of(type) << " at " << i;
    }
  }
}

TEST(AdamW, PiecesGiveTheBitsOfTheWhole) {
  const std::size_t count = 1000;
  const auto start = random_values(1, count);
  const auto gradient = random_values(2, count);
  Owned whole{ElementType::fp32, start};
  Owned pieces{ElementType::fp32, start};
  const AdamW adamw{kConfig};
  adamw.update(7, 1e-3, 1.0, std::vector<Group>{{0, count, true}}, whole.spans(gradient));
  const AdamW::Spans all = pieces.spans(gradient);
  for (const auto& [offset, numel] : {std::pair{0u, 13u}, {13u, 500u}, {513u, 487u}}) {
    const MasterSlice slice{offset, all.master.compute.subspan(offset, numel), {}, {}};
    adamw.update(7, 1e-3, 1.0, std::vector<Group>{{0, numel, true}},
                 {all.gradient.subspan(offset, numel), slice, all.moment1.subspan(offset, numel),
                  all.moment2.subspan(offset, numel)});
  }
  EXPECT_EQ(pieces.masters(), whole.masters());
}

struct Sums {
  double staleness = 0.0;
  double weight = 0.0;
  double update = 0.0;
};

/// What update t of elements [first, end) should tell, from what it found and left.
Sums expected_sums(std::uint32_t t, double factor, std::span<const float> gradient,
                   const std::vector<float>& before, const Owned& owned, std::size_t first,
                   std::size_t end) {
  const auto after = owned.masters();
  Sums sums;
  for (std::size_t i = first; i < end; ++i) {
    const double g = factor * static_cast<double>(gradient[i]);
    const double v = static_cast<double>(owned.moment2[i]) / (1.0 - std::pow(kConfig.beta2, t));
    sums.staleness += g * g / std::max(v, kConfig.epsilon * kConfig.epsilon);
    sums.weight += std::pow(static_cast<double>(after[i]), 2);
    sums.update += std::pow(static_cast<double>(after[i]) - static_cast<double>(before[i]), 2);
  }
  return sums;
}

void expect_sums(const kernels::AdamWPartials& partials, const Sums& sums) {
  EXPECT_NEAR(partials.staleness, sums.staleness, 1e-5 * sums.staleness);
  EXPECT_NEAR(partials.weight, sums.weight, 1e-5 * sums.weight);
  EXPECT_NEAR(partials.update, sums.update, 1e-5 * sums.update);
}

TEST(AdamW, PartialsTellOfEachGranuleAndChangeNoBits) {
  for (const std::size_t second : {1u, 17u, 1023u, 1024u, 1025u, 2777u}) {
    // The first group ends within its second granule, and the padding behind it is nobody's.
    const std::vector<Group> groups{{0, 1500, true}, {2 * kGranule, second, false}};
    const std::size_t count = 2 * kGranule + second;
    const auto start = random_values(1, count);
    for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
      Owned plain{type, start};
      Owned watched{type, start};
      std::vector<kernels::AdamWPartials> partials(granules_for(count));
      for (std::uint32_t t = 1; t <= 3; ++t) {
        const auto gradient = random_values(10 + t, count, t);
        const auto before = watched.masters();
        AdamW::Spans spans = watched.spans(gradient);
        spans.partials = partials;
        AdamW{kConfig}.update(t, 1e-3, 0.37, groups, spans);
        AdamW{kConfig}.update(t, 1e-3, 0.37, groups, plain.spans(gradient));
        for (const Group& group : groups) {
          for (std::size_t done = 0; done < group.numel; done += kGranule) {
            const std::size_t first = group.offset + done;
            const std::size_t end = std::min(first + kGranule, group.offset + group.numel);
            SCOPED_TRACE(testing::Message() << name_of(type) << ", " << count << " weights, step "
                                            << t << ", granule " << first / kGranule);
            expect_sums(partials[first / kGranule],
                        expected_sums(t, 0.37, gradient, before, watched, first, end));
          }
        }
      }
      EXPECT_EQ(watched.masters(), plain.masters()) << name_of(type) << ", " << count;
      EXPECT_EQ(watched.compute(), plain.compute());
      EXPECT_EQ(watched.moment1, plain.moment1);
      EXPECT_EQ(watched.moment2, plain.moment2);
    }
  }
}

TEST(AdamW, WeightsWithoutAnyGradientAreNotStale) {
  Owned owned{ElementType::fp32, random_values(1, 40)};
  const std::vector<float> none(40, 0.0f);
  std::vector<kernels::AdamWPartials> partials(1);
  AdamW::Spans spans = owned.spans(none);
  spans.partials = partials;
  AdamW{{.epsilon = 0.0}}.update(1, 0.0, 1.0, std::vector<Group>{{0, 40, true}}, spans);
  EXPECT_EQ(partials[0].staleness, 0.0f);
}

TEST(AdamW, SpansAndGroupsThatDoNotFitAreNamed) {
  Owned owned{ElementType::fp32, random_values(1, 10)};
  const auto gradient = random_values(2, 10);
  const AdamW adamw{kConfig};
  EXPECT_THROW(adamw.update(1, 1e-3, 1.0, std::vector<Group>{{4, 7, true}}, owned.spans(gradient)),
               Error);
  EXPECT_THROW(adamw.update(1, 1e-3, 1.0, std::vector<Group>{{0, 9, true}},
                            owned.spans(std::span{gradient}.first(9))),
               Error);
  std::vector<kernels::AdamWPartials> partials(2);
  AdamW::Spans spans = owned.spans(gradient);
  spans.partials = partials;
  EXPECT_THROW(adamw.update(1, 1e-3, 1.0, std::vector<Group>{{0, 10, true}}, spans), Error);
  spans.partials = std::span{partials}.first(1);
  EXPECT_THROW(adamw.update(1, 1e-3, 1.0, std::vector<Group>{{4, 6, true}}, spans), Error);
}

}  // namespace
}  // namespace ballast::optim
