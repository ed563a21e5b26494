#include "kernels/attention/attention_rule.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "kernels/attention/attention_step.hpp"
#include "kernels/attention_problem.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"

// Attention by other rules than that of every earlier token and products over sqrt(head_dim).
namespace ballast::kernels {
namespace {

struct Form {
  std::string name;
  AttentionRule rule;
};

const std::vector<float>& slopes_of_four() {
  static const std::vector<float> slopes = alibi_slopes(4);
  return slopes;
}

std::vector<Form> forms() {
  std::vector<Form> all{{"scale", {.scale = 0.11f}},
                        {"softcap", {.softcap = 1.5f}},
                        {"slopes", {.slopes = slopes_of_four()}},
                        {"window8_softcap", {.scale = 0.2f, .window = 8, .softcap = 30.0f}},
                        {"window8_slopes", {.window = 8, .slopes = slopes_of_four()}}};
  for (const std::size_t window : {1u, 2u, 8u, 100u}) {
    all.push_back({fmt::format("window{}", window), {.window = window}});
  }
  return all;
}

std::vector<AttentionDims> shapes() {
  std::vector<AttentionDims> all;
  for (const std::size_t seq_len : {1u, 3u, 67u, 130u, 257u}) {
    all.push_back({2, seq_len, 4, 2, 6});
  }
  for (const std::size_t head_dim : {1u, 33u, 64u}) all.push_back({1, 130, 4, 1, head_dim});
  return all;
}

enum class Documents { one, several };
using Case = std::tuple<Form, AttentionDims, Documents>;

class AttentionByRule : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] Problem problem(ElementType type) const {
    const auto& [form, dims, documents] = GetParam();
    const bool several = documents == Documents::several;
    return {dims, type, several ? segments_of(dims) : std::vector<std::int32_t>{}, 4.0, form.rule};
  }
  /// Where most tokens see hardly more than themselves, dq and dk are small differences.
  [[nodiscard]] double floor(const Problem& p) const {
    return p.dims.seq_len == 1 || p.rule.window == 1 ? 2e-2 : 0.0;
  }
};

TEST_P(AttentionByRule, AgreesWithTheReference) {
  for (const Candidate& candidate : candidates()) {
    SCOPED_TRACE(fmt::format("{} on {}", name_of(candidate.type), candidate.kernel->name()));
    Problem p = problem(candidate.type);
    const float largest = p.forward(*candidate.kernel);
    const auto forward = p.expected_forward();
    EXPECT_LE(relative_error(p.out.floats(), forward.out), tolerance(candidate, 2e-6));
    EXPECT_LE(relative_error(p.log_sum_exp, forward.log_sum_exp), 1e-6);
    EXPECT_NEAR(static_cast<double>(largest), forward.max_logit, 1e-5);
    p.backward(*candidate.kernel);
    const auto expected = p.expected_backward();
    const double of_logits = 2.0 * gradient_tolerance(candidate) + floor(p);
    EXPECT_LE(relative_error(p.dq.floats(), expected.dq), of_logits);
    EXPECT_LE(relative_error(p.dk.floats(), expected.dk), of_logits);
    EXPECT_LE(relative_error(p.dv.floats(), expected.dv), tolerance(candidate, 4e-6));
  }
}

/// The last token alone, from what a decoder remembers.
TEST_P(AttentionByRule, AStepGivesTheLastTokensRow) {
  if (std::get<Documents>(GetParam()) == Documents::several) return;
  Problem p = problem(ElementType::fp32);
  const AttentionDims& d = p.dims;
  const auto expected = p.expected_forward().out;
  const auto q = p.q.floats();
  const auto k = p.k.floats();
  const auto v = p.v.floats();
  auto scores = not_numbers(d.seq_len);
  auto out = not_numbers(d.dim());
  const auto gemm = make_gemm(GemmTable::shipped());
  const std::size_t start = (d.tokens() - d.seq_len) * d.kv_dim();
  attention_step(*gemm, {1, d.seq_len, d.heads, d.kv_heads, d.head_dim}, p.rule,
                 {std::span{q}.last(d.dim()), std::span{k}.subspan(start),
                  std::span{v}.subspan(start), scores},
                 out);
  EXPECT_LE(relative_error(out, std::span{expected}.last(d.dim())), 2e-6);
}

std::string name_of_case(const testing::TestParamInfo<Case>& test) {
  const auto& [form, dims, documents] = test.param;
  return fmt::format("{}_{}x{}{}", form.name, dims.seq_len, dims.head_dim,
                     documents == Documents::several ? "_documents" : "");
}

INSTANTIATE_TEST_SUITE_P(Forms, AttentionByRule,
                         testing::Combine(testing::ValuesIn(forms()), testing::ValuesIn(shapes()),
                                          testing::Values(Documents::one, Documents::several)),
                         name_of_case);

/// Windows that begin and end inside tiles, over several of them.
TEST(AttentionWindow, CrossesTiles) {
  const AttentionDims dims{1, 700, 2, 1, 32};
  std::vector<std::int32_t> segments(dims.tokens());
  for (std::size_t t = 0; t < dims.tokens(); ++t) {
    segments[t] = static_cast<std::int32_t>((t >= 33) + (t >= 390) + (t >= 391));
  }
  for (const Candidate& candidate : candidates()) {
    for (const std::size_t window : {5u, 129u, 300u, 699u}) {
      SCOPED_TRACE(fmt::format("{} on {}, window {}", name_of(candidate.type),
                               candidate.kernel->name(), window));
      Problem p{dims, candidate.type, segments, 4.0, {.window = window}};
      p.forward(*candidate.kernel);
      p.backward(*candidate.kernel);
      EXPECT_LE(relative_error(p.out.floats(), p.expected_forward().out),
                tolerance(candidate, 2e-6));
      const auto expected = p.expected_backward();
      EXPECT_LE(relative_error(p.dq.floats(), expected.dq), gradient_tolerance(candidate));
      EXPECT_LE(relative_error(p.dk.floats(), expected.dk), gradient_tolerance(candidate));
      EXPECT_LE(relative_error(p.dv.floats(), expected.dv), tolerance(candidate, 4e-6));
    }
  }
}

TEST(AttentionWindow, OfTheWholeSequenceIsNone) {
  const AttentionDims dims{2, 130, 4, 2, 16};
  for (const Candidate& candidate : candidates()) {
    Problem all{dims, candidate.type, segments_of(dims)};
    Problem window{dims, candidate.type, segments_of(dims), 4.0, {.window = dims.seq_len}};
    for (Problem* p : {&all, &window}) {
      p->forward(*candidate.kernel);
      p->backward(*candidate.kernel);
    }
    EXPECT_EQ(window.out.bytes(), all.out.bytes());
    EXPECT_EQ(window.dq.bytes(), all.dq.bytes());
    EXPECT_EQ(window.dk.bytes(), all.dk.bytes());
    EXPECT_EQ(window.dv.bytes(), all.dv.bytes());
    EXPECT_EQ(window.log_sum_exp, all.log_sum_exp);
  }
}

/// What a kernel was asked for: multiplications, and products of tiles.
struct Asked {
  std::size_t multiplications = 0;
  std::size_t tiles = 0;
};

/// Another kernel that counts.
class CountingKernel final : public PanelKernel {
 public:
  explicit CountingKernel(ElementType type) : kernel_{make_panel_kernel(type)} {}

  [[nodiscard]] std::string_view name() const override { return kernel_->name(); }
  [[nodiscard]] ElementType type() const override { return kernel_->type(); }
  [[nodiscard]] PanelShape shape() const override { return kernel_->shape(); }
  [[nodiscard]] std::size_t best_depth() const override { return kernel_->best_depth(); }
  [[nodiscard]] bool reads_rows(std::size_t stride, std::size_t depth) const override {
    return kernel_->reads_rows(stride, depth);
  }
  void pack_a(const PanelSource& source, std::byte* panels) const override {
    kernel_->pack_a(source, panels);
  }
  void pack_b(const PanelSource& source, std::byte* panels) const override {
    kernel_->pack_b(source, panels);
  }
  void multiply_all(std::span<const PanelBlock> blocks) const override {
    for (const PanelBlock& b : blocks) asked_.multiplications += b.m * b.n * b.depth;
    ++asked_.tiles;
    kernel_->multiply_all(blocks);
  }

  /// Since the last call.
  Asked asked() { return std::exchange(asked_, {}); }

 private:
  std::unique_ptr<PanelKernel> kernel_;
  mutable Asked asked_;
};

/// What lies outside the window is not multiplied: the work of a pass grows with tokens × window.
TEST(AttentionWindow, LeavesOutWhatNoTokenSees) {
  constexpr std::size_t kWindow = 64;
  constexpr std::size_t kHead = 32;
  for (const ElementType type : {ElementType::fp32, ElementType::bf16}) {
    CountingKernel kernel{type};
    Problem p{{1, 4096, 1, 1, kHead}, type, {}, 4.0, {.window = kWindow}};
    // Two products forward, five backward. A row panel sees the window and its own rows besides,
    // rounded to column panels; sums over keys take whole tiles of these.
    const std::size_t rounding = kernel.shape().rows + 2 * kernel.shape().cols;
    p.forward(kernel);
    const Asked forward = kernel.asked();
    EXPECT_LE(forward.multiplications, 2 * p.dims.seq_len * (kWindow + rounding) * kHead);
    p.backward(kernel);
    const Asked backward = kernel.asked();
    EXPECT_LE(backward.multiplications,
              p.dims.seq_len * (4 * (kWindow + rounding) + 256 + rounding) * kHead);
    p.rule.window = 0;
    p.forward(kernel);
    const Asked whole = kernel.asked();
    EXPECT_GE(whole.multiplications, p.dims.seq_len * p.dims.seq_len * kHead);
    EXPECT_GE(whole.tiles, 4 * forward.tiles);
    p.backward(kernel);
    EXPECT_GE(kernel.asked().tiles, 4 * backward.tiles);
  }
}

/// A cap that no logit comes near is none, but for rounding; logits beyond one end at it.
TEST(AttentionSoftcap, BoundsLogits) {
  const AttentionDims dims{1, 70, 2, 1, 16};
  for (const Candidate& candidate : candidates()) {
    Problem p{dims, candidate.type, {}, 100.0, {.softcap = 3.0f}};
    const float largest = p.forward(*candidate.kernel);
    EXPECT_FLOAT_EQ(largest, 3.0f);
    p.backward(*candidate.kernel);
    for (const float value : p.dq.floats()) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(AttentionSoftcap, NotANumberReachesTheOutput) {
  for (const Candidate& candidate : candidates()) {
    for (const AttentionRule& rule :
         {AttentionRule{.softcap = 3.0f}, AttentionRule{.slopes = slopes_of_four()}}) {
      const AttentionDims dims{1, 70, 4, 4, 16};
      Problem p{dims, candidate.type, {}, 4.0, rule};
      auto q = p.q.floats();
      q[40 * dims.dim()] = std::numeric_limits<float>::quiet_NaN();
      p.q = {q, candidate.type};
      p.forward(*candidate.kernel);
      const auto out = p.out.floats();
      EXPECT_TRUE(std::isnan(out[40 * dims.dim()]));
      EXPECT_FALSE(std::isnan(out[39 * dims.dim()]));
      EXPECT_FALSE(std::isnan(out[41 * dims.dim()]));
    }
  }
}

TEST(AlibiSlopes, ArePowersOfTwoWhereHeadsAre) {
  EXPECT_EQ(alibi_slopes(1), (std::vector{0x1p-8f}));
  EXPECT_EQ(alibi_slopes(4), (std::vector{0x1p-2f, 0x1p-4f, 0x1p-6f, 0x1p-8f}));
  EXPECT_EQ(alibi_slopes(8),
            (std::vector{0x1p-1f, 0x1p-2f, 0x1p-3f, 0x1p-4f, 0x1p-5f, 0x1p-6f, 0x1p-7f, 0x1p-8f}));
}

/// Every other slope of the next power fills up, as build_alibi_tensor of Transformers has it.
TEST(AlibiSlopes, InterleaveWhereHeadsAreNoPowerOfTwo) {
  EXPECT_EQ(alibi_slopes(6), (std::vector{0x1p-2f, 0x1p-4f, 0x1p-6f, 0x1p-8f, 0x1p-1f, 0x1p-3f}));
  const auto slopes = alibi_slopes(12);
  ASSERT_EQ(slopes.size(), 12u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(slopes[8 + i], std::exp2(-0.5 * (2.0 * static_cast<double>(i) + 1.0)), 1e-7);
  }
}

TEST(AttentionRule, WhatMakesNoSenseIsRefused) {
  const auto refuses = [](const AttentionRule& rule) {
    Problem p{{1, 5, 4, 2, 8}, ElementType::fp32, {}, 4.0, rule};
    const auto kernel = make_portable_kernel();
    EXPECT_THROW(p.forward(*kernel), Error);
    EXPECT_THROW(p.backward(*kernel), Error);
  };
  const std::vector<float> three{0.1f, 0.2f, 0.3f};
  refuses({.slopes = three});
  refuses({.softcap = 2.0f, .slopes = slopes_of_four()});
  refuses({.scale = -1.0f});
  refuses({.softcap = std::numeric_limits<float>::infinity()});
}

}  // namespace
}  // namespace ballast::kernels
