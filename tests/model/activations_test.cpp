#include "model/activations.hpp"

#include <gtest/gtest.h>

#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"
#include "model/cases.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

// So many tokens that every tensor of an odd width ends on the arena's alignment.
constexpr BatchShape kShape{4, 16};

/// Bytes a token of one block's activations, part by part.
struct BlockBytes {
  BlockBytes(const ModelConfig& m, const Precision& precision) {
    const std::size_t c = size_of(precision.compute);
    const std::size_t r = size_of(precision.residual);
    const std::size_t statistics = 2 * sizeof(float);
    const bool pre = m.has_input_norms();
    const bool post = m.has_stream_norms();
    // The stream between the sublayers, and both sums that stand before norms.
    frame = (m.parallel_sublayers ? 0 : m.dim * r) + (post ? 2 * (m.dim * r + statistics) : 0);
    if (m.has_output_norms()) frame += 2 * (m.dim * c + statistics);
    // Queries, keys, values and what they attended to.
    attention = 2 * (m.q_dim() + m.kv_dim()) * c + m.heads * sizeof(float) + (pre ? statistics : 0);
    if (m.qk_norm) {
      attention += (m.q_dim() + m.kv_dim()) * c + (m.heads + m.kv_heads) * statistics;
    }
    feed_forward = (is_gated(m.activation) ? 2 : 1) * m.ffn * c + (pre ? statistics : 0);
  }

  [[nodiscard]] std::size_t dropped(Recompute what) const {
    return (what.is_full() ? frame : 0) + (what.drops(SublayerKind::attention) ? attention : 0) +
           (what.drops(SublayerKind::feed_forward) ? feed_forward : 0);
  }

  std::size_t frame, attention, feed_forward;
};

/// Bytes a token of what a model keeps from forward to backward.
std::size_t kept_bytes(const ModelConfig& m, const Precision& precision,
                       const RecomputePolicy& recompute) {
  const BlockBytes block{m, precision};
  std::size_t bytes = (m.layers + 1) * m.dim * size_of(precision.residual);
  for (std::size_t layer = 0; layer < m.layers; ++layer) {
    bytes += block.dropped(Recompute::full()) - block.dropped(recompute.of(layer));
  }
  const bool final_norm = m.has_final_norm();
  if (final_norm) bytes += 2 * sizeof(float);
  if (final_norm || precision.compute != precision.residual) {
    bytes += m.dim * size_of(precision.compute);
  }
  return bytes;
}

class ActivationBytes : public testing::TestWithParam<reference::Variant> {
 protected:
  struct Planned {
    std::size_t activations;
    std::size_t scratch;
  };
  [[nodiscard]] static Planned plan(const ModelConfig& config, const TransformerOptions& options) {
    Arena arena;
    const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
    const kernels::CpuOperations operations{*gemm, options.precision.compute};
    const Transformer model{config, kShape, options, operations, arena};
    return {arena.planned_bytes(MemoryClass::activations),
            arena.planned_bytes(MemoryClass::scratch)};
  }
};

TEST_P(ActivationBytes, AreWhatTheFormulaSays) {
  auto config = GetParam().config;
  config.layers = 5;
  for (const auto& precision : every_precision()) {
    const BlockBytes block{config, precision};
    const auto plain = plan(config, {.precision = precision});
    EXPECT_EQ(plain.activations,
              kShape.tokens() * kept_bytes(config, precision, RecomputePolicy::none()));
    for (const auto& policy : every_recomputation()) {
      SCOPED_TRACE(text_of(precision) + ", " + policy.name());
      const auto planned = plan(config, {.precision = precision, .recompute = policy});
      EXPECT_EQ(planned.activations, kShape.tokens() * kept_bytes(config, precision, policy));
      // One place for what all blocks recompute, and nothing else.
      EXPECT_EQ(planned.scratch - plain.scratch, kShape.tokens() * block.dropped(policy.what()));
    }
  }
}

TEST_P(ActivationBytes, NothingIsKeptInAnEvaluation) {
  for (const auto& precision : every_precision()) {
    EXPECT_EQ(
        plan(GetParam().config, {.mode = Mode::evaluation, .precision = precision}).activations,
        0u);
  }
}

TEST_P(ActivationBytes, BlocksBelowAllThatTrainsKeepNothingButTheirStream) {
  auto config = GetParam().config;
  auto upper = config;
  config.layers = 5;
  upper.layers = 3;
  for (const auto& precision : every_precision()) {
    TransformerOptions options;
    options.precision = precision;
    const bool is_learned = config.position == Position::learned;
    const std::string ends = is_learned ? "embedding,positions" : "embedding";
    options.freeze = Freeze::parse(ends + ",block.[01].*").value();
    const auto planned = plan(config, options);
    const std::size_t streams = 2 * config.dim * size_of(precision.residual);
    EXPECT_EQ(planned.activations,
              kShape.tokens() * (kept_bytes(upper, precision, RecomputePolicy::none()) + streams));
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, ActivationBytes,
                         testing::ValuesIn(reference::chosen_variants(odd_shape(), 3)),
                         [](const auto& variant) { return variant.param.name; });

TEST(Activations, RecomputingSharesOnePlace) {
  Arena arena;
  const auto config = odd_shape();
  const Activations activations{config, kShape, {.recompute = RecomputePolicy::every(2)}, 0, arena};
  arena.commit();
  // The first tensor that the feed-forward keeps.
  const auto gate = [&](std::size_t layer) {
    return activations.of(layer).at(1).own.front().data();
  };
  EXPECT_EQ(gate(0), gate(2));
  EXPECT_NE(gate(0), gate(1));
}

}  // namespace
}  // namespace ballast::model
