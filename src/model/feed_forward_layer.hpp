#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/model_config.hpp"
#include "model/sublayer.hpp"

namespace ballast::model {

/// w_down activation(w_up x), or gated: w_down (activation(w_gate x) ∘ w_up x) (SwiGLU and others;
/// Shazeer 2020).
class FeedForwardLayer final : public Sublayer {
 public:
  [[nodiscard]] static SublayerSpec list(const ModelConfig& config);

  /// `operations` must outlive this.
  FeedForwardLayer(const ModelConfig& config, BatchShape shape,
                   const kernels::Operations& operations)
      : kind_{config.activation},
        spec_{list(config)},
        tokens_{shape.tokens()},
        operations_{&operations} {}

  [[nodiscard]] const SublayerSpec& spec() const override { return spec_; }
  [[nodiscard]] std::vector<RoomSpec> rooms(std::size_t) const override { return {}; }
  std::optional<AttentionSignals> forward(const SublayerPass& pass, const ConstElements& input,
                                          std::span<float> out) const override;
  void recompute(const SublayerPass& pass, const ConstElements& input) const override;
  void backward_of_output(const SublayerPass& pass, const ConstElements& dout,
                          const TensorGradients& gradients) const override;
  void backward_of_input(const SublayerPass& pass, const ConstElements& input,
                         const InputGradient& dinput,
                         const TensorGradients& gradients) const override;

 private:
  FeedForward kind_;
  SublayerSpec spec_;
  std::size_t tokens_;
  const kernels::Operations* operations_;
};

/// In fp32; `gemm` must outlive the result.
[[nodiscard]] std::unique_ptr<SublayerDecoder> make_feed_forward_decoder(const ModelConfig& config,
                                                                         const kernels::Gemm& gemm);

}  // namespace ballast::model
