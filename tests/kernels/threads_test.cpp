#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/team.hpp"
#include "kernels/activations.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/bias.hpp"
#include "kernels/convert.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/embedding.hpp"
#include "kernels/gated_activation.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/gemm/gemm_tiled.hpp"
#include "kernels/norm.hpp"
#include "kernels/rope.hpp"
#include "kernels/softcap.hpp"
#include "kernels/top_tokens.hpp"
#include "kernels/typed.hpp"
#include "kernels/ungated_activation.hpp"

// Every kernel that a team shares out gives the bits that it gives alone. Sizes are odd, and such
// that there are more tasks than workers.
namespace ballast::kernels {
namespace {

using Bytes = std::vector<std::byte>;

void append(Bytes& all, const Typed& x) {
  all.insert(all.end(), x.bytes().begin(), x.bytes().end());
}

/// What `compute` gives alone, and with teams of odd and even sizes.
void expect_same_bits(const std::string& what, const std::function<Bytes(Team*)>& compute) {
  const Bytes alone = compute(nullptr);
  for (const std::size_t workers : {1u, 2u, 3u, 5u}) {
    Team team{workers};
    EXPECT_TRUE(compute(&team) == alone) << what << " with " << workers;
  }
}

struct Size {
  std::size_t m, n, k;
};

/// What products of one size and type read, and what they are added to.
struct Factors {
  Factors(ElementType of, const Size& shape)
      : size{shape},
        type{of},
        a{random_values(1, shape.m * shape.k), of},
        b{random_values(2, shape.k * shape.n), of},
        c{random_values(3, shape.m * shape.n), ElementType::fp32} {}

  Size size;
  ElementType type;
  Typed a, b, c;
};

/// Their product in every transposition and kind of store.
Bytes products_of(const Gemm& gemm, const Factors& factors) {
  const auto& [m, n, k] = factors.size;
  Bytes all;
  for (const Transpose ta : {Transpose::no, Transpose::yes}) {
    for (const Transpose tb : {Transpose::no, Transpose::yes}) {
      const bool a_as_is = ta == Transpose::no;
      const bool b_as_is = tb == Transpose::no;
      const Operand a{factors.a, a_as_is ? m : k, a_as_is ? k : m};
      const Operand b{factors.b, b_as_is ? k : n, b_as_is ? n : k};
      Typed sum = factors.c;
      gemm.multiply(a, ta, b, tb, Destination{sum.elements(), m, n}, Store::add);
      append(all, sum);
      Typed rounded{std::vector<float>(m * n), factors.type};
      gemm.multiply(a, ta, b, tb, Destination{rounded.elements(), m, n}, Store::overwrite);
      append(all, rounded);
    }
  }
  return all;
}

TEST(Threads, ProductsHaveTheSameBits) {
  // Several tiles of a few rows and of many, several parts of the depth, and hardly anything.
  constexpr Size kSizes[] = {{519, 1027, 9}, {1031, 40, 33}, {67, 161, 1601}, {1, 3, 5}};
  for (const ElementType type : kEveryType) {
    for (const Size& size : kSizes) {
      const Factors factors{type, size};
      for (const GemmLibrary library : gemm_libraries()) {
        expect_same_bits(
            std::string{name_of(library)} + " " + std::string{name_of(type)},
            [&](Team* team) { return products_of(*make_gemm(library, team), factors); });
      }
    }
  }
}

TEST(Threads, TheTablesChoiceHasTheSameBits) {
  const Factors factors{ElementType::bf16, {70, 90, 33}};
  expect_same_bits("table", [&](Team* team) {
    return products_of(*make_gemm(GemmTable::shipped(), team), factors);
  });
}

void expect_attention_has_the_same_bits(const AttentionRule& rule) {
  const AttentionDims dims{3, 77, 6, 3, 20};
  for (const ElementType type : {ElementType::fp32, ElementType::bf16}) {
    const auto kernel = make_panel_kernel(type);
    expect_same_bits("attention", [&](Team* team) {
      const Typed q{random_values(1, dims.tokens() * dims.dim(), 4.0), type};
      const Typed k{random_values(2, dims.tokens() * dims.kv_dim(), 4.0), type};
      const Typed v{random_values(3, dims.tokens() * dims.kv_dim()), type};
      const Typed dout{random_values(4, dims.tokens() * dims.dim()), type};
      Typed out{dims.tokens() * dims.dim(), type}, dq{out.elements().size(), ElementType::fp32};
      Typed dk{dims.tokens() * dims.kv_dim(), ElementType::fp32}, dv{dk.elements().size(), type};
      Typed log_sum_exp{dims.heads * dims.tokens(), ElementType::fp32};
      auto scratch = not_numbers(attention_scratch_numel(dims, workers_of(team)));
      const AttentionInput input{q, k, v, {}};
      const auto sums = log_sum_exp.elements().floats();
      const float largest = attention_forward(*kernel, dims, rule, input, out, sums, scratch, team);
      attention_backward(*kernel, dims, rule, input, out, sums, dout, {dq, dk, dv}, scratch, team);
      Bytes all;
      for (const Typed* x : {&out, &dq, &dk, &dv, &log_sum_exp}) append(all, *x);
      append(all, Typed{std::vector<float>{largest}, ElementType::fp32});
      return all;
    });
  }
}

TEST(Threads, AttentionHasTheSameBits) {
  const auto slopes = alibi_slopes(6);
  expect_attention_has_the_same_bits({});
  expect_attention_has_the_same_bits({.scale = 0.3f, .window = 20, .softcap = 5.0f});
  expect_attention_has_the_same_bits({.slopes = slopes});
}

TEST(Threads, AttentionRefusesTooLittleScratch) {
  const AttentionDims dims{2, 33, 2, 2, 8};
  const auto kernel = make_panel_kernel(ElementType::fp32);
  const Typed q{random_values(1, dims.tokens() * dims.dim()), ElementType::fp32};
  Typed out{dims.tokens() * dims.dim(), ElementType::fp32};
  std::vector<float> sums(dims.heads * dims.tokens());
  EXPECT_EQ(attention_scratch_numel(dims, 3), 3 * attention_scratch_numel(dims));
  std::vector<float> scratch(8);
  Team team{2};
  EXPECT_THROW(attention_forward(*kernel, dims, {}, {q, q, q, {}}, out, sums, scratch, &team),
               Error);
}

/// Rows of an odd width, in several pieces.
constexpr std::size_t kRows = 401;
constexpr std::size_t kWidth = 131;
constexpr std::size_t kNumel = kRows * kWidth;

TEST(Threads, NormsHaveTheSameBits) {
  const auto gain = random_values(5, kWidth);
  const auto update = random_values(6, kNumel);
  for (const NormKind kind : {NormKind::rms, NormKind::layer}) {
    for (const ElementType type : {ElementType::fp32, ElementType::bf16}) {
      for (const Store store : {Store::overwrite, Store::add}) {
        expect_same_bits("norm", [&](Team* team) {
          const NormRule rule{kind, 1e-5f, store == Store::add ? 1.0f : 0.0f};
          const NormDims dims{kRows, kWidth};
          const Typed x{random_values(1, kNumel), type};
          Typed sum{kNumel, type}, y{kNumel, type}, statistics{2 * kRows, ElementType::fp32};
          Bytes all;
          norm_forward(rule, dims, x, gain, y, statistics.elements().floats(), team);
          append(all, y);
          norm_forward_of_sum(rule, dims, x, update, sum, gain, y, statistics.elements().floats(),
                              team);
          for (const Typed* result : {&y, &sum, &statistics}) append(all, *result);
          // The gradient in place, as blocks have it behind a norm.
          Typed dx{random_values(7, kNumel), ElementType::fp32}, rounded{kNumel, type};
          Typed dy{random_values(8, kNumel), ElementType::fp32};
          Typed dgain{random_values(9, kWidth), ElementType::fp32};
          auto sums = not_numbers(gain_scratch_numel(dims));
          const auto dy_or_dx = (store == Store::add ? dy : dx).elements().floats();
          norm_backward(rule, dims, sum, gain, statistics.elements().floats(), dy_or_dx,
                        dx.elements().floats(), store, {dgain.elements().floats(), store, sums},
                        rounded, team);
          for (const Typed* result : {&dx, &dgain, &rounded}) append(all, *result);
          return all;
        });
      }
    }
  }
}

TEST(Threads, ActivationsHaveTheSameBits) {
  for (const ElementType type : kEveryType) {
    for (const Activation kind : kEveryActivation) {
      expect_same_bits(std::string{name_of(kind)}, [&](Team* team) {
        Typed gate{random_values(1, kNumel), type}, up{random_values(2, kNumel), type};
        const Typed dout{random_values(3, kNumel), ElementType::fp32};
        Typed out{kNumel, type}, activated{kNumel, type};
        Bytes all;
        activation_forward(kind, gate, out, team);
        append(all, out);
        activation_backward(kind, up, dout, out, activated, team);
        for (const Typed* x : {&out, &activated}) append(all, *x);
        gated_activation_forward(kind, gate, up, out, team);
        gated_activation_backward(kind, gate, up, dout, gate, up, activated, team);
        for (const Typed* x : {&out, &gate, &up, &activated}) append(all, *x);
        return all;
      });
    }
  }
}

TEST(Threads, BiasesHaveTheSameBits) {
  const auto bias = random_values(2, kWidth);
  for (const ElementType type : kEveryType) {
    expect_same_bits("bias", [&](Team* team) {
      Typed x{random_values(1, kNumel), type}, dbias{kWidth, ElementType::fp32};
      add_bias(kRows, kWidth, bias, x, team);
      auto sums = not_numbers(column_sums_numel(kRows, kWidth));
      bias_gradient(kRows, kWidth, x, {dbias.elements().floats(), Store::overwrite, sums}, team);
      Bytes all;
      for (const Typed* result : {&x, &dbias}) append(all, *result);
      return all;
    });
  }
}

TEST(Threads, SoftCapsHaveTheSameBits) {
  for (const ElementType type : kEveryType) {
    expect_same_bits("softcap", [&](Team* team) {
      Typed logits{random_values(1, kNumel, 9.0), ElementType::fp32};
      Typed dlogits{random_values(2, kNumel), type};
      softcap_forward(4.0f, logits.elements().floats(), team);
      softcap_backward(4.0f, logits.elements().floats(), dlogits, team);
      Bytes all;
      for (const Typed* result : {&logits, &dlogits}) append(all, *result);
      return all;
    });
  }
}

TEST(Threads, TopTokensHaveTheSameBits) {
  const auto logits = random_values(1, kNumel, 9.0);
  expect_same_bits("top tokens", [&](Team* team) {
    std::vector<TokenLoss> top(kRows * 5);
    top_tokens(kWidth, 5, logits, top, team);
    const auto bytes = std::as_bytes(std::span{top});
    return Bytes{bytes.begin(), bytes.end()};
  });
}

TEST(Threads, RotationsHaveTheSameBits) {
  constexpr std::size_t kHeads = 7;
  constexpr std::size_t kHeadDim = 18;
  const RopeTable table{kRows, kHeadDim, {.base = 1e4}};
  const auto positions = positions_of(1, kRows);
  expect_same_bits("rope", [&](Team* team) {
    const Typed x{random_values(1, kRows * kHeads * kHeadDim), ElementType::fp32};
    Typed y{x.elements().size(), ElementType::bf16};
    rope(table, Rotation::backward, positions, kHeads, x, y, team);
    Bytes all;
    append(all, y);
    return all;
  });
}

/// Numbers below `limit` in no order.
std::vector<std::int32_t> some_ids(std::size_t count, std::size_t limit) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int32_t>(i * i % limit));
  return ids;
}

TEST(Threads, LossesHaveTheSameBits) {
  auto labels = some_ids(kRows, kWidth);
  labels[3] = kIgnoreLabel;
  const auto weights = random_values(2, kRows);
  for (const ElementType type : kEveryType) {
    expect_same_bits("cross-entropy", [&](Team* team) {
      Typed logits{random_values(1, kNumel, 9.0), ElementType::fp32}, gradient{kNumel, type};
      Typed nll{kRows, ElementType::fp32}, log_z{kRows, ElementType::fp32},
          loss{kRows, ElementType::fp32};
      const auto values = logits.elements().floats();
      cross_entropy_loss(kWidth, labels, values, {loss.elements().floats()}, team);
      cross_entropy(kWidth, labels, weights, 0.3f, values,
                    {nll.elements().floats(), log_z.elements().floats()}, gradient, team);
      Bytes all;
      for (const Typed* x : {&gradient, &nll, &log_z, &loss}) append(all, *x);
      return all;
    });
  }
}

TEST(Threads, EmbeddingsHaveTheSameBits) {
  // Tokens share rows, so that the order of sums shows.
  const auto ids = some_ids(kRows, 13);
  expect_same_bits("embedding", [&](Team* team) {
    const Typed dout{random_values(1, kNumel), ElementType::fp32};
    Typed table{random_values(2, 13 * kWidth), ElementType::fp32};
    Typed out{kNumel, ElementType::bf16};
    embedding_forward(kWidth, {ids, table}, {}, out, team);
    embedding_backward(kWidth, ids, 1.0f, dout.elements().floats(), table.elements().floats(),
                       team);
    Bytes all;
    for (const Typed* x : {&table, &out}) append(all, *x);
    return all;
  });
}

TEST(Threads, PassesOverElementsHaveTheSameBits) {
  for (const ElementType type : kEveryType) {
    expect_same_bits("elements", [&](Team* team) {
      const auto x = random_values(1, kNumel);
      Typed narrowed{kNumel, type}, widened{kNumel, ElementType::fp32};
      Typed other{kNumel, ElementType::bf16}, cleared{kNumel, ElementType::fp32};
      narrow(x, narrowed, team);
      widen(narrowed.elements(), widened.elements().floats(), team);
      convert(narrowed, other, team);
      add(narrowed, x, narrowed, team);
      scale(narrowed, 0.3f, narrowed, team);
      clear(cleared.elements().floats(), team);
      Bytes all;
      for (const Typed* result : {&narrowed, &widened, &other, &cleared}) append(all, *result);
      return all;
    });
  }
}

}  // namespace
}  // namespace ballast::kernels
