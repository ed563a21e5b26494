// Attention of one token at a time over cached keys and values.

#include <array>
#include <cmath>

#include "kernels/attention/attention_step.hpp"
#include "kernels/norm.hpp"
#include "model/attention_layer.hpp"
#include "model/attention_lists.hpp"
#include "model/linear.hpp"

namespace ballast::model {

namespace {

using namespace attention;

class AttentionDecoder final : public SublayerDecoder {
 public:
  AttentionDecoder(const ModelConfig& config, std::size_t context, const kernels::Gemm& gemm)
      : config_{config},
        rule_{.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(config.head_dim())))},
        rope_{context, config.head_dim(), config.rope_base},
        gemm_{&gemm},
        keys_(context * config.kv_dim()),
        values_(context * config.kv_dim()),
        query_(config.dim),
        attended_(config.dim),
        scores_(context) {}

  void advance(std::size_t position, std::span<const ConstElements> weights,
               std::span<const float> input, std::span<float> out) override {
    const auto key = row_of(keys_, position);
    project_token(*gemm_, input, weights[wq], query_);
    project_token(*gemm_, input, weights[wk], key);
    project_token(*gemm_, input, weights[wv], row_of(values_, position));
    turn(query_, weights[q_norm], position);
    turn(key, weights[k_norm], position);
    const std::size_t seen = position + 1;
    kernels::attention_step(*gemm_, {1, seen, config_.heads, config_.kv_heads, config_.head_dim()},
                            rule_, {query_, keys_, values_, scores_}, attended_);
    project_token(*gemm_, attended_, weights[wo], out);
  }

 private:
  [[nodiscard]] std::span<float> row_of(std::vector<float>& cache, std::size_t position) const {
    return std::span{cache}.subspan(position * config_.kv_dim(), config_.kv_dim());
  }

  /// Normalizes heads where the model does, and rotates them to their position.
  void turn(std::span<float> heads, const ConstElements& gain, std::size_t position) {
    const std::size_t count = heads.size() / config_.head_dim();
    if (config_.qk_norm) {
      statistics_.resize(2 * count);
      kernels::norm_forward(config_.norm_rule(), {count, config_.head_dim()}, heads, gain.floats(),
                            heads, statistics_);
    }
    const std::array positions{static_cast<std::int32_t>(position)};
    kernels::rope(rope_, kernels::Rotation::forward, positions, count, heads, heads);
  }

  ModelConfig config_;
  kernels::AttentionRule rule_;
  kernels::RopeTable rope_;
  const kernels::Gemm* gemm_;
  std::vector<float> keys_, values_;  ///< [context, kv_dim]
  std::vector<float> query_, attended_, scores_, statistics_;
};

}  // namespace

std::unique_ptr<SublayerDecoder> make_attention_decoder(const ModelConfig& config,
                                                        std::size_t context,
                                                        const kernels::Gemm& gemm) {
  return std::make_unique<AttentionDecoder>(config, context, gemm);
}

}  // namespace ballast::model
