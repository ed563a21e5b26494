// Attention of one token at a time over cached keys and values.

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "kernels/lanes/math.hpp"
#include "kernels/norm.hpp"
#include "model/attention_layer.hpp"
#include "model/attention_lists.hpp"
#include "model/linear.hpp"

namespace ballast::model {

using kernels::matrix;
using kernels::Store;
using kernels::Transpose;

namespace {

using namespace attention;

class AttentionDecoder final : public SublayerDecoder {
 public:
  AttentionDecoder(const ModelConfig& config, std::size_t context, const kernels::Gemm& gemm)
      : config_{config},
        rope_{context, config.head_dim(), config.rope},
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
    for (std::size_t head = 0; head < config_.heads; ++head) attend(head, position + 1);
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
      kernels::norm_forward(config_.norm, {count, config_.head_dim()}, config_.norm_epsilon, heads,
                            gain.floats(), heads, statistics_);
    }
    const std::array positions{static_cast<std::int32_t>(position)};
    kernels::rope(rope_, kernels::Rotation::forward, positions, count, heads, heads);
  }

  /// One query head over the `seen` tokens so far.
  void attend(std::size_t head, std::size_t seen) {
    const std::size_t head_dim = config_.head_dim();
    const std::size_t offset = head / (config_.heads / config_.kv_heads) * head_dim;
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)));
    const auto cached = [&](const std::vector<float>& cache) {
      return kernels::MatrixView<const float>{cache.data() + offset, seen, head_dim,
                                              config_.kv_dim()};
    };
    const auto scores = std::span{scores_}.first(seen);
    const auto out = std::span{attended_}.subspan(head * head_dim, head_dim);
    gemm_->multiply(matrix<const float>(query_.data() + head * head_dim, 1, head_dim),
                    Transpose::no, cached(keys_), Transpose::yes, matrix(scores.data(), 1, seen),
                    Store::overwrite, scale);
    weigh(scores);
    gemm_->multiply(matrix<const float>(scores.data(), 1, seen), Transpose::no, cached(values_),
                    Transpose::no, matrix(out.data(), 1, head_dim), Store::overwrite);
  }

  /// Softmax.
  static void weigh(std::span<float> scores) {
    const float largest = *std::ranges::max_element(scores);
    double total = 0.0;
    for (float& score : scores) {
      score = static_cast<float>(kernels::portable_exp(static_cast<double>(score - largest)));
      total += static_cast<double>(score);
    }
    kernels::scale(scores, static_cast<float>(1.0 / total), scores);
  }

  ModelConfig config_;
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
