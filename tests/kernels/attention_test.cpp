#include "kernels/attention/attention.hpp"

#include <cmath>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "kernels/convert.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

enum class Documents { one, several };

struct Case {
  AttentionDims dims;
  Documents documents;
};

/// Values rounded to a type, and as the references take them.
class Rounded {
 public:
  Rounded(const std::vector<float>& values, ElementType type)
      : bytes_(values.size() * size_of(type)), size_{values.size()}, type_{type} {
    narrow(values, elements());
  }

  [[nodiscard]] Elements elements() { return {bytes_.data(), size_, type_}; }
  [[nodiscard]] std::vector<float> floats() {
    std::vector<float> values(size_);
    widen(elements(), values);
    return values;
  }
  [[nodiscard]] std::vector<double> doubles() { return as_double(floats()); }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t size_;
  ElementType type_;
};

/// Documents of 1, 4, 7, 10, ... tokens, numbered from 3 in every sequence.
std::vector<std::int32_t> segments_of(const AttentionDims& dims) {
  std::vector<std::int32_t> segments;
  for (std::size_t sequence = 0; sequence < dims.sequences; ++sequence) {
    std::int32_t segment = 3;
    std::size_t left = 1;
    std::size_t length = 1;
    for (std::size_t t = 0; t < dims.seq_len; ++t, --left) {
      if (left == 0) {
        ++segment;
        left = length += 3;
      }
      segments.push_back(segment);
    }
  }
  return segments;
}

/// One call of each kernel on drawn values; everything written is poisoned before.
struct Problem {
  Problem(const AttentionDims& shape, ElementType type, std::vector<std::int32_t> documents,
          double range = 4.0)
      : dims{shape},
        segments{std::move(documents)},
        q{random_values(1, dims.tokens() * dims.dim(), range), type},
        k{random_values(2, dims.tokens() * dims.kv_dim(), range), type},
        v{random_values(3, dims.tokens() * dims.kv_dim()), type},
        dout{random_values(4, dims.tokens() * dims.dim()), type},
        out{not_numbers(dims.tokens() * dims.dim()), type},
        dq{not_numbers(dims.tokens() * dims.dim()), type},
        dk{not_numbers(dims.tokens() * dims.kv_dim()), type},
        dv{not_numbers(dims.tokens() * dims.kv_dim()), type},
        log_sum_exp{not_numbers(dims.heads * dims.tokens())},
        scratch{not_numbers(attention_scratch_numel(dims))} {}

  [[nodiscard]] AttentionInput input() {
    return {q.elements(), k.elements(), v.elements(), segments};
  }

  float forward(const PanelKernel& kernel) {
    return attention_forward(kernel, dims, input(), out.elements(), log_sum_exp, scratch);
  }

  /// With gradients of fp32, for what the operands' type has in common with the reference.
  void backward(const PanelKernel& kernel) {
    scratch = not_numbers(scratch.size());
    attention_backward(kernel, dims, input(), out.elements(), log_sum_exp, dout.elements(),
                       {dq.elements(), dk.elements(), dv.elements()}, scratch);
  }

  [[nodiscard]] auto expected_forward() {
    return reference::attention_forward<double>(dims, q.doubles(), k.doubles(), v.doubles(),
                                                segments);
  }
  [[nodiscard]] auto expected_backward() {
    return reference::attention_backward<double>(dims, q.doubles(), k.doubles(), v.doubles(),
                                                 segments, dout.doubles());
  }

  AttentionDims dims;
  std::vector<std::int32_t> segments;
  Rounded q, k, v, dout, out, dq, dk, dv;
  std::vector<float> log_sum_exp;
  std::vector<float> scratch;
};

/// Every kernel that this processor has for a type.
struct Candidate {
  std::shared_ptr<PanelKernel> kernel;
  ElementType type;
};

std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    all.push_back({make_panel_kernel(type), type});
    all.push_back({make_portable_kernel(), type});
  }
  return all;
}

/// What rounding the results, and on AMX the probabilities, to the type may cost.
double tolerance(const Candidate& candidate, double of_fp32) {
  if (candidate.kernel->type() == ElementType::bf16) return 6e-3;
  if (candidate.type == ElementType::bf16) return 3e-3;
  return candidate.type == ElementType::fp16 ? 4e-4 : of_fp32;
}

/// dq and dk are differences of what rounding the output of the forward already moved.
double gradient_tolerance(const Candidate& candidate) { return 4.0 * tolerance(candidate, 1e-6); }

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
