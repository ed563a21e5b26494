#include "kernels/attention/attention.hpp"

#include <cmath>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "kernels/attention_problem.hpp"

namespace ballast::kernels {
namespace {

enum class Documents { one, several };

struct Case {
  AttentionDims dims;
  Documents documents;
};

class Attention : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] Problem problem(ElementType type) const {
    const AttentionDims& dims = GetParam().dims;
    const bool several = GetParam().documents == Documents::several;
    return {dims, type, several ? segments_of(dims) : std::vector<std::int32_t>{}};
  }
};

TEST_P(Attention, ForwardAgreesWithTheReference) {
  for (const Candidate& candidate : candidates()) {
    SCOPED_TRACE(fmt::format("{} on {}", name_of(candidate.type), candidate.kernel->name()));
    Problem p = problem(candidate.type);
    const float largest = p.forward(*candidate.kernel);
    const auto expected = p.expected_forward();
    EXPECT_LE(relative_error(p.out.floats(), expected.out), tolerance(candidate, 2e-6));
    EXPECT_LE(relative_error(p.log_sum_exp, expected.log_sum_exp), 1e-6);
    EXPECT_NEAR(static_cast<double>(largest), expected.max_logit, 1e-5);
  }
}

TEST_P(Attention, BackwardAgreesWithTheReference) {
  for (const Candidate& candidate : candidates()) {
    SCOPED_TRACE(fmt::format("{} on {}", name_of(candidate.type), candidate.kernel->name()));
    Problem p = problem(candidate.type);
    p.forward(*candidate.kernel);
    p.backward(*candidate.kernel);
    const auto expected = p.expected_backward();
    // A token that sees only itself has no gradient through its logit: what is left is rounding.
    const double floor = p.dims.seq_len == 1 ? 2e-2 : 0.0;
    EXPECT_LE(relative_error(p.dq.floats(), expected.dq), gradient_tolerance(candidate) + floor);
    EXPECT_LE(relative_error(p.dk.floats(), expected.dk), gradient_tolerance(candidate) + floor);
    EXPECT_LE(relative_error(p.dv.floats(), expected.dv), tolerance(candidate, 4e-6));
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Documents documents : {Documents::one, Documents::several}) {
    for (const std::size_t seq_len : {1u, 5u, 16u, 63u, 64u, 65u, 130u}) {
      all.push_back({{2, seq_len, 4, 2, 16}, documents});
    }
    all.push_back({{1, 257, 2, 1, 10}, documents});
    all.push_back({{1, 290, 2, 2, 80}, documents});
    all.push_back({{3, 33, 1, 1, 1}, documents});
    all.push_back({{2, 33, 4, 2, 6}, documents});
    all.push_back({{1, 70, 6, 1, 7}, documents});
    all.push_back({{1, 200, 3, 3, 64}, documents});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention, testing::ValuesIn(cases()), [](const auto& test) {
  const AttentionDims& dims = test.param.dims;
  return std::to_string(dims.sequences) + "x" + std::to_string(dims.seq_len) + "_heads" +
         std::to_string(dims.heads) + "of" + std::to_string(dims.kv_heads) + "x" +
         std::to_string(dims.head_dim) +
         (test.param.documents == Documents::several ? "_documents" : "");
});

/// Documents that begin and end inside tiles, some longer than several of them.
TEST(AttentionDocuments, CrossTilesOfKeys) {
  const AttentionDims dims{2, 700, 2, 1, 32};
  std::vector<std::int32_t> segments(dims.tokens());
  for (std::size_t t = 0; t < dims.tokens(); ++t) {
    const std::size_t at = t % dims.seq_len;
    segments[t] = static_cast<std::int32_t>((at >= 33) + (at >= 290) + (at >= 291));
  }
  for (const Candidate& candidate : candidates()) {
    SCOPED_TRACE(fmt::format("{} on {}", name_of(candidate.type), candidate.kernel->name()));
    Problem p{dims, candidate.type, segments};
    p.forward(*candidate.kernel);
    p.backward(*candidate.kernel);
    EXPECT_LE(relative_error(p.out.floats(), p.expected_forward().out), tolerance(candidate, 2e-6));
    const auto expected = p.expected_backward();
    EXPECT_LE(relative_error(p.dq.floats(), expected.dq), gradient_tolerance(candidate));
    EXPECT_LE(relative_error(p.dk.floats(), expected.dk), gradient_tolerance(candidate));
    EXPECT_LE(relative_error(p.dv.floats(), expected.dv), tolerance(candidate, 4e-6));
  }
}

TEST(AttentionExtremes, HugeLogitsStayFinite) {
  for (const Candidate& candidate : candidates()) {
    const double range = candidate.type == ElementType::fp16 ? 4e3 : 4e4;
    Problem p{{2, 130, 4, 2, 16}, candidate.type, {}, range};
    p.forward(*candidate.kernel);
    for (const float value : p.out.floats()) ASSERT_TRUE(std::abs(value) <= 1.01f) << value;
    p.backward(*candidate.kernel);
    for (const float value : p.dv.floats()) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(AttentionExtremes, NotANumberReachesTheOutput) {
  for (const Candidate& candidate : candidates()) {
    const AttentionDims dims{1, 70, 1, 1, 16};
    Problem p{dims, candidate.type, {}};
    auto q = p.q.floats();
    q[40 * dims.dim()] = std::numeric_limits<float>::quiet_NaN();
    p.q = {q, candidate.type};
    p.forward(*candidate.kernel);
    const auto out = p.out.floats();
    EXPECT_TRUE(std::isnan(out[40 * dims.dim()]));
    EXPECT_TRUE(std::isnan(p.log_sum_exp[40]));
    EXPECT_FALSE(std::isnan(out[39 * dims.dim()]));
    EXPECT_FALSE(std::isnan(out[41 * dims.dim()]));
  }
}

/// Twice the tokens take at most twice the scratch, and what does not grow with them is a few
/// tiles.
TEST(AttentionScratch, IsLinearInTheSequence) {
  const auto numel = [](std::size_t seq_len) {
    return attention_scratch_numel({1, seq_len, 8, 4, 64});
  };
  const std::size_t grown = numel(8192) - numel(4096);
  EXPECT_EQ(numel(16384) - numel(8192), 2 * grown);
  EXPECT_EQ(grown, 5u * 4096u * 64u);
  EXPECT_EQ(attention_scratch_numel({7, 4096, 64, 4, 64}), numel(4096));
}

TEST(AttentionScratch, TooLittleIsRefused) {
  Problem p{{1, 70, 1, 1, 16}, ElementType::fp32, {}};
  p.scratch.resize(1000);
  EXPECT_THROW(p.forward(*make_portable_kernel()), Error);
}

/// What a token sees must not depend on what it may not see.
TEST(AttentionMask, LaterTokensAndOtherDocumentsChangeNothing) {
  const AttentionDims dims{1, 400, 2, 1, 8};
  std::vector<std::int32_t> segments(dims.tokens(), 0);
  for (std::size_t t = 130; t < dims.tokens(); ++t) segments[t] = 1;
  for (const Candidate& candidate : candidates()) {
    Problem p{dims, candidate.type, segments};
    p.forward(*candidate.kernel);
    const auto before = p.out.floats();
    auto k = p.k.floats();
    auto v = p.v.floats();
    for (std::size_t t = 0; t < dims.tokens(); ++t) {
      if (t >= 130 && t < 380) continue;
      for (std::size_t i = 0; i < dims.kv_dim(); ++i) {
        k[t * dims.kv_dim() + i] += 100.0f;
        v[t * dims.kv_dim() + i] -= 50.0f;
      }
    }
    p.k = {k, candidate.type};
    p.v = {v, candidate.type};
    p.forward(*candidate.kernel);
    const auto after = p.out.floats();
    for (std::size_t i = 130 * dims.dim(); i < 380 * dims.dim(); ++i) {
      ASSERT_EQ(after[i], before[i]);
    }
    EXPECT_NE(after.back(), before.back());
  }
}

/// Gradients may be of fp32 where the operands are not: what is rounded elsewhere.
TEST(AttentionTypes, GradientsRoundWhereTheyAreStored) {
  for (const ElementType type : {ElementType::bf16, ElementType::fp16}) {
    const auto kernel = make_panel_kernel(type);
    Problem p{{2, 70, 4, 2, 16}, type, {}};
    p.forward(*kernel);
    p.backward(*kernel);
    Problem wide{p.dims, type, {}};
    wide.dq = {not_numbers(p.dq.floats().size()), ElementType::fp32};
    wide.dk = {not_numbers(p.dk.floats().size()), ElementType::fp32};
    wide.dv = {not_numbers(p.dv.floats().size()), ElementType::fp32};
    wide.forward(*kernel);
    wide.backward(*kernel);
    EXPECT_EQ(p.dq.bytes(), Rounded(wide.dq.floats(), type).bytes());
    EXPECT_EQ(p.dk.bytes(), Rounded(wide.dk.floats(), type).bytes());
    EXPECT_EQ(p.dv.bytes(), Rounded(wide.dv.floats(), type).bytes());
  }
}

}  // namespace
}  // namespace ballast::kernels
