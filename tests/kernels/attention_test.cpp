#include "kernels/attention.hpp"

#include <gtest/gtest.h>
#include <string>

#include "kernels/gemm_table.hpp"
#include "kernels/values.hpp"
#include "reference/kernels.hpp"

namespace ballast::kernels {
namespace {

enum class Documents { one, several };

struct Case {
  AttentionDims dims;
  Documents documents;
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

class Attention : public testing::TestWithParam<Case> {
 protected:
  Attention()
      : q{random_values(1, dims.tokens() * dims.dim(), 4.0)},
        k{random_values(2, dims.tokens() * dims.kv_dim(), 4.0)},
        v{random_values(3, k.size())},
        dout{random_values(4, q.size())},
        out{not_numbers(q.size())},
        log_sum_exp{not_numbers(dims.heads * dims.tokens())},
        scratch{not_numbers(attention_scratch_numel(dims))} {
    if (GetParam().documents == Documents::several) segments = segments_of(dims);
  }

  AttentionDims dims = GetParam().dims;
  std::vector<std::int32_t> segments;
  std::vector<float> q;
  std::vector<float> k;
  std::vector<float> v;
  std::vector<float> dout;
  std::vector<float> out;
  std::vector<float> log_sum_exp;
  std::vector<float> scratch;
  std::unique_ptr<Gemm> gemm = make_gemm(GemmTable::shipped());
};

TEST_P(Attention, ForwardAgreesWithTheReference) {
  const float largest =
      attention_forward(*gemm, dims, q, k, v, segments, out, log_sum_exp, scratch);
  const auto expected = reference::attention_forward<double>(dims, as_double(q), as_double(k),
                                                             as_double(v), segments);
  EXPECT_LE(relative_error(out, expected.out), 2e-6);
  EXPECT_LE(relative_error(log_sum_exp, expected.log_sum_exp), 1e-6);
  EXPECT_NEAR(static_cast<double>(largest), expected.max_logit, 1e-5);
}

TEST_P(Attention, BackwardAgreesWithTheReference) {
  attention_forward(*gemm, dims, q, k, v, segments, out, log_sum_exp, scratch);
  auto dq = not_numbers(q.size());
  auto dk = not_numbers(k.size());
  auto dv = not_numbers(v.size());
  attention_backward(*gemm, dims, q, k, v, segments, out, log_sum_exp, dout, dq, dk, dv, scratch);
  const auto expected = reference::attention_backward<double>(
      dims, as_double(q), as_double(k), as_double(v), segments, as_double(dout));
  // A token that sees only itself has no gradient through its logit: what is left is rounding.
  const double floor = dims.seq_len == 1 ? 1e-5 : 0.0;
  EXPECT_LE(relative_error(dq, expected.dq), 4e-6 + floor);
  EXPECT_LE(relative_error(dk, expected.dk), 4e-6 + floor);
  EXPECT_LE(relative_error(dv, expected.dv), 4e-6);
}

TEST_P(Attention, HugeLogitsStayFinite) {
  for (float& value : q) value *= 1e4f;
  attention_forward(*gemm, dims, q, k, v, segments, out, log_sum_exp, scratch);
  for (const float value : out) ASSERT_TRUE(std::abs(value) <= 1.0f) << value;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Documents documents : {Documents::one, Documents::several}) {
    for (const std::size_t seq_len : {1u, 5u, 16u, 63u, 64u, 65u, 130u}) {
      all.push_back({{2, seq_len, 4, 2, 16}, documents});
    }
    all.push_back({{3, 33, 1, 1, 1}, documents});
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

/// What a token sees must not depend on what it may not see.
TEST(AttentionMask, LaterTokensAndOtherDocumentsChangeNothing) {
  const AttentionDims dims{1, 100, 2, 1, 8};
  const auto gemm = make_gemm(GemmTable::shipped());
  std::vector<std::int32_t> segments(100, 0);
  for (std::size_t t = 30; t < 100; ++t) segments[t] = 1;
  const auto q = random_values(1, dims.tokens() * dims.dim());
  auto k = random_values(2, dims.tokens() * dims.kv_dim());
  auto v = random_values(3, k.size());
  std::vector<float> scratch(attention_scratch_numel(dims));
  const auto run = [&] {
    std::vector<float> out(q.size());
    std::vector<float> log_sum_exp(dims.heads * dims.tokens());
    attention_forward(*gemm, dims, q, k, v, segments, out, log_sum_exp, scratch);
    return out;
  };
  const auto before = run();
  for (std::size_t t = 0; t < 100; ++t) {
    if (t >= 30 && t < 80) continue;
    for (std::size_t i = 0; i < dims.kv_dim(); ++i) {
      k[t * dims.kv_dim() + i] += 100.0f;
      v[t * dims.kv_dim() + i] -= 50.0f;
    }
  }
  const auto after = run();
  for (std::size_t i = 30 * dims.dim(); i < 80 * dims.dim(); ++i) ASSERT_EQ(after[i], before[i]);
  EXPECT_NE(after.back(), before.back());
}

}  // namespace
}  // namespace ballast::kernels
