#include "model/recompute.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "model/cases.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using reference::Variant;
using test::ProductionModel;

TEST(RecomputePolicy, ReadsWhatItWrites) {
  for (const char* text : {"none", "full", "every:2", "every:7", "selective:attention",
                           "selective:feed_forward", "every:2:attention", "every:3:feed_forward"}) {
    EXPECT_EQ(RecomputePolicy::parse(text).name(), text);
  }
  EXPECT_EQ(RecomputePolicy::parse("selective"),
            RecomputePolicy::selective(SublayerKind::attention));
  EXPECT_EQ(RecomputePolicy::parse("every:1"), RecomputePolicy::full());
  EXPECT_EQ(RecomputePolicy{}, RecomputePolicy::none());
}

TEST(RecomputePolicy, NamesTheKeyOfWhatItDoesNotKnow) {
  for (const char* text : {"every:0", "every:0:attention", "every:2:ffn", "every:attention",
                           "every:", "every:-2", "every:2 ", "selective:ffn", "", "Full"}) {
    try {
      (void)RecomputePolicy::parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_NE(std::string{error.what()}.find(std::string{"parallel.recompute = "} + text),
                std::string::npos);
    }
  }
}

TEST(RecomputePolicy, EveryNthBlockStartsWithTheFirst) {
  const auto policy = RecomputePolicy::every(3);
  for (std::size_t layer = 0; layer < 9; ++layer) {
    EXPECT_EQ(policy.of(layer), layer % 3 == 0 ? Recompute::full() : Recompute::none());
    EXPECT_EQ(RecomputePolicy::selective(SublayerKind::attention).of(layer),
              Recompute::of(SublayerKind::attention));
    EXPECT_EQ(RecomputePolicy::none().of(layer), Recompute::none());
  }
}

class RecomputedVariant : public testing::TestWithParam<Variant> {};

TEST_P(RecomputedVariant, GivesTheBitsOfKeepingEverything) {
  auto config = GetParam().config;
  config.layers = 3;
  const BatchShape shape{3, 7};
  const auto values = reference::random_parameters(config, 4);
  const auto first = reference::random_batch(config.vocabulary, 3, 7, 6);
  const auto second = reference::random_batch(config.vocabulary, 3, 7, 7);
  for (const auto& precision : every_precision()) {
    ProductionModel kept{config, shape, {.precision = precision}, values};
    const double first_loss = kept.forward_backward(first).numerator().value();
    const double second_loss = kept.forward_backward(second).numerator().value();
    for (const auto& policy : every_recomputation()) {
      SCOPED_TRACE(text_of(precision) + ", " + policy.name());
      ProductionModel recomputed{
          config, shape, {.precision = precision, .recompute = policy}, values};
      EXPECT_EQ(recomputed.forward_backward(first).numerator().value(), first_loss);
      EXPECT_EQ(recomputed.forward_backward(second).numerator().value(), second_loss);
      EXPECT_EQ(recomputed.gradients(), kept.gradients());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, RecomputedVariant,
                         testing::ValuesIn(reference::chosen_variants(reference::tiny_shape(), 2)),
                         [](const auto& variant) { return variant.param.name; });

/// Passes products on and adds up their multiplications and additions.
class CountingGemm final : public kernels::Gemm {
 public:
  explicit CountingGemm(std::uint64_t& flop)
      : gemm_{kernels::make_gemm(kernels::GemmTable::shipped())}, flop_{&flop} {}

  void multiply(const kernels::Operand& a, kernels::Transpose transpose_a,
                const kernels::Operand& b, kernels::Transpose transpose_b,
                const kernels::Destination& c, kernels::Store store, float alpha) const override {
    const std::size_t depth = transpose_a == kernels::Transpose::no ? a.cols : a.rows;
    *flop_ += 2 * c.rows * c.cols * depth;
    gemm_->multiply(a, transpose_a, b, transpose_b, c, store, alpha);
  }
  [[nodiscard]] bool is_native(ElementType type) const override { return gemm_->is_native(type); }
  [[nodiscard]] std::string description() const override { return gemm_->description(); }

 private:
  std::unique_ptr<kernels::Gemm> gemm_;
  std::uint64_t* flop_;
};

/// What a forward and backward take.
struct Cost {
  std::uint64_t flop;       ///< of its products, attention's own left out
  std::uint64_t attention;  ///< forward passes of attention
};

constexpr std::size_t kSequences = 2;
constexpr std::size_t kSeqLen = 9;

Cost cost_of(const ModelConfig& config, const Precision& precision,
             const RecomputePolicy& recompute) {
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 6);
  std::uint64_t flop = 0;
  Profile profile;
  ProductionModel production{config,
                             {kSequences, kSeqLen},
                             {.precision = precision, .recompute = recompute, .profile = &profile},
                             reference::random_parameters(config, 4),
                             std::make_unique<CountingGemm>(flop)};
  {
    const ProfileSpan step{&profile, Region::step};
    production.forward_backward(batch);
  }
  const auto events = profile.last_steps(1);
  const auto attention =
      std::ranges::count(events, Region::attention_forward, &ProfileEvent::region);
  return {flop, static_cast<std::uint64_t>(attention)};
}

/// What one block's forward multiplies, part by part.
struct BlockFlop {
  explicit BlockFlop(const ModelConfig& c) {
    const std::uint64_t tokens = kSequences * kSeqLen;
    const auto product = [&](std::size_t in, std::size_t out) { return 2 * tokens * in * out; };
    qkv = product(c.dim, c.dim) + 2 * product(c.dim, c.kv_dim());
    wo = product(c.dim, c.dim);
    gate_up = 2 * product(c.dim, c.ffn);
    down = product(c.ffn, c.dim);
  }

  std::uint64_t qkv, wo, gate_up, down;
};

TEST(Recomputation, MultipliesWhatItsFormulaSays) {
  for (const auto placement : {NormPlacement::pre, NormPlacement::post, NormPlacement::none}) {
    for (const std::size_t layers : {std::size_t{4}, std::size_t{5}}) {
      for (const auto& precision : every_precision()) {
        auto config = reference::tiny_shape();
        config.norm_placement = placement;
        config.layers = layers;
        config.kv_heads = 2;
        const Cost plain = cost_of(config, precision, RecomputePolicy::none());
        const BlockFlop block{config};
        EXPECT_EQ(plain.attention, layers);
        const auto expect_extra = [&](const RecomputePolicy& policy, std::uint64_t flop,
                                      std::uint64_t attention) {
          const Cost cost = cost_of(config, precision, policy);
          EXPECT_EQ(cost.flop - plain.flop, flop);
          EXPECT_EQ(cost.attention - plain.attention, attention);
        };

        // The last block that recomputes is still there when its backward comes. Without a norm
        // behind the feed-forward nobody reads its output again.
        const std::uint64_t full = block.qkv + block.wo + block.gate_up +
                                   (placement == NormPlacement::post ? block.down : 0);
        SCOPED_TRACE(
            fmt::format("{} blocks, norm {}, {}", layers, name_of(placement), text_of(precision)));
        const std::size_t every_second = (layers + 1) / 2 - 1;
        expect_extra(RecomputePolicy::full(), (layers - 1) * full, layers - 1);
        expect_extra(RecomputePolicy::every(2), every_second * full, every_second);
        expect_extra(RecomputePolicy::selective(SublayerKind::attention), (layers - 1) * block.qkv,
                     layers - 1);
        expect_extra(RecomputePolicy::selective(SublayerKind::feed_forward),
                     (layers - 1) * block.gate_up, 0);
        expect_extra(RecomputePolicy::every(2, Recompute::of(SublayerKind::attention)),
                     every_second * block.qkv, every_second);
        expect_extra(RecomputePolicy::every(2, Recompute::of(SublayerKind::feed_forward)),
                     every_second * block.gate_up, 0);
        expect_extra(RecomputePolicy::every(100), 0, 0);
      }
    }
  }
}

}  // namespace
}  // namespace ballast::model
