#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/attention/attention_rule.hpp"
#include "kernels/rope.hpp"
#include "model/linear.hpp"
#include "model/model_config.hpp"
#include "model/sublayer.hpp"

namespace ballast::model {

/// Causal grouped-query attention. Queries and keys may be normalized (qk_norm; Henry et al. 2020)
/// and then rotated to their positions; some layers may see a window of tokens only.
class AttentionLayer final : public Sublayer {
 public:
  [[nodiscard]] static SublayerSpec list(const ModelConfig& config);

  /// `operations` must outlive this.
  AttentionLayer(const ModelConfig& config, BatchShape shape, ElementType compute,
                 const kernels::Operations& operations);

  [[nodiscard]] const SublayerSpec& spec() const override { return spec_; }
  [[nodiscard]] std::vector<RoomSpec> rooms(std::size_t workers) const override;
  std::optional<AttentionSignals> forward(const SublayerPass& pass, const ConstElements& input,
                                          std::span<float> out) const override;
  void recompute(const SublayerPass& pass, const ConstElements& input) const override;
  void backward_of_output(const SublayerPass& pass, const ConstElements& dout,
                          const TensorGradients& gradients) const override;
  void backward_of_input(const SublayerPass& pass, const ConstElements& input,
                         const InputGradient& dinput,
                         const TensorGradients& gradients) const override;

 private:
  /// Queries, or keys: the tensors that lead to them.
  struct Heads {
    std::size_t count;
    LinearTensors linear;
    std::size_t gain;                      ///< in the list of tensors
    std::size_t raw, statistics, rotated;  ///< in the list of what is kept
  };
  [[nodiscard]] Heads queries() const;
  [[nodiscard]] Heads keys() const;

  [[nodiscard]] kernels::AttentionInput input_of(const SublayerPass& pass) const;
  float attend(const SublayerPass& pass, const ConstElements& input) const;
  void heads_forward(const Heads& heads, const SublayerPass& pass,
                     const ConstElements& input) const;
  [[nodiscard]] ConstElements heads_backward(const Heads& heads, const SublayerPass& pass,
                                             std::span<float> gradient,
                                             const TensorGradients& gradients) const;
  [[nodiscard]] kernels::NormDims norm_dims(const Heads& heads) const {
    return {dims_.tokens() * heads.count, dims_.head_dim};
  }

  ModelConfig config_;
  SublayerSpec spec_;
  ElementType compute_;
  kernels::AttentionDims dims_;
  kernels::RopeTable rope_;
  std::vector<float> slopes_;  ///< [heads] of ALiBi, or empty
  const kernels::Operations* operations_;
};

/// Of position alibi, [heads]; empty otherwise.
[[nodiscard]] std::vector<float> alibi_slopes_of(const ModelConfig& config);
/// How a layer weighs what it sees. A view of `slopes`.
[[nodiscard]] kernels::AttentionRule attention_rule(const ModelConfig& config, std::size_t layer,
                                                    std::span<const float> slopes);

/// One layer's, for texts of up to `context` tokens, in fp32; `gemm` must outlive the result.
[[nodiscard]] std::unique_ptr<SublayerDecoder> make_attention_decoder(const ModelConfig& config,
                                                                      std::size_t layer,
                                                                      std::size_t context,
                                                                      const kernels::Gemm& gemm);

}  // namespace ballast::model
