// Attention of one token at a time over cached keys and values.

#include <array>

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
  AttentionDecoder(const ModelConfig& config, std::size_t layer, std::size_t context,
                   const kernels::Gemm& gemm)
      : config_{config},
        slopes_{alibi_slopes_of(config)},
        rule_{attention_rule(config, layer, slopes_)},
        rotates_{config.rotates(layer)},
        rope_{context, config.head_dim(), config.rope},
        gemm_{&gemm},
        keys_(context * config.kv_dim()),
        values_(context * config.kv_dim()),
        query_(config.q_dim()),
        attended_(config.q_dim()),
        scores_(context) {}

  void advance(std::size_t position, std::span<const ConstElements> weights,
               std::span<const float> input, std::span<float> out) override {
    const auto key = row_of(keys_, position);
    project_token(*gemm_, input, weights[wq], weights[bq], query_);
    project_token(*gemm_, input, weights[wk], weights[bk], key);
    project_token(*gemm_, input, weights[wv], weights[bv], row_of(values_, position));
    turn(query_, weights[q_norm], position);
    turn(key, weights[k_norm], position);
    const std::size_t seen = position + 1;
    kernels::attention_step(*gemm_, {1, seen, config_.heads, config_.kv_heads, config_.head_dim()},
                            rule_, {query_, keys_, values_, scores_}, attended_);
    project_token(*gemm_, attended_, weights[wo], weights[bo], out);
  }

 private:
  [[nodiscard]] std::span<float> row_of(std::vector<float>& cache, std::size_t position) const {
    return std::span{cache}.subspan(position * config_.kv_dim(), config_.kv_dim());
  }

  /// Normalizes heads and rotates them to their position, each where the model does.
  void turn(std::span<float> heads, const ConstElements& gain, std::size_t position) {
    const std::size_t count = heads.size() / config_.head_dim();
    if (config_.qk_norm) {
      statistics_.resize(2 * count);
      kernels::norm_forward(config_.norm_rule(), {count, config_.head_dim()}, heads, gain.floats(),
                            heads, statistics_);
    }
    if (!rotates_) return;
    const std::array positions{static_cast<std::int32_t>(position)};
    kernels::rope(rope_, kernels::Rotation::forward, positions, count, heads, heads);
  }

  ModelConfig config_;
  std::vector<float> slopes_;  ///< of ALiBi; the rule's
  kernels::AttentionRule rule_;
  bool rotates_;
  kernels::RopeTable rope_;
  const kernels::Gemm* gemm_;
  std::vector<float> keys_, values_;  ///< [context, kv_dim]
  std::vector<float> query_, attended_, scores_, statistics_;
};

}  // namespace

std::unique_ptr<SublayerDecoder> make_attention_decoder(const ModelConfig& config,
                                                        std::size_t layer, std::size_t context,
                                                        const kernels::Gemm& gemm) {
  return std::make_unique<AttentionDecoder>(config, layer, context, gemm);
}

}  // namespace ballast::model
