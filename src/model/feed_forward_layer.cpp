#include "model/feed_forward_layer.hpp"

#include "kernels/gated_activation.hpp"
#include "model/linear.hpp"

namespace ballast::model {

using kernels::Activation;
using kernels::Store;

namespace {

enum Tensor : std::size_t { w_gate, w_up, w_down };
enum Kept : std::size_t { gate, up };

class FeedForwardDecoder final : public SublayerDecoder {
 public:
  FeedForwardDecoder(std::size_t width, const kernels::Gemm& gemm)
      : gate_(width), up_(width), gemm_{&gemm} {}

  void advance(std::size_t, std::span<const ConstElements> weights, std::span<const float> input,
               std::span<float> out) override {
    project_token(*gemm_, input, weights[w_gate], gate_);
    project_token(*gemm_, input, weights[w_up], up_);
    kernels::gated_activation_forward(Activation::silu, std::span{gate_}, std::span{up_},
                                      std::span{gate_});
    project_token(*gemm_, gate_, weights[w_down], out);
  }

 private:
  std::vector<float> gate_, up_;
  const kernels::Gemm* gemm_;
};

}  // namespace

SublayerSpec FeedForwardLayer::list(const ModelConfig& config) {
  using enum TensorRole;
  return {
      .kind = SublayerKind::feed_forward,
      .norm = "ffn_norm",
      .tensors = {{"w_gate", "gate", {config.ffn, config.dim}, linear, config.init_std},
                  {"w_up", "up", {config.ffn, config.dim}, linear, config.init_std},
                  {"w_down", "down", {config.dim, config.ffn}, linear, config.residual_std()}},
      .kept = {{"gate", config.ffn}, {"up", config.ffn}},
      .operand_width = config.ffn,
  };
}

std::optional<AttentionSignals> FeedForwardLayer::forward(const SublayerPass& pass,
                                                          const ConstElements& input,
                                                          std::span<float> out) const {
  recompute(pass, input);
  const Elements activated = pass.operand.first(pass.kept[gate].size());
  operations_->gated_activation_forward(Activation::silu, pass.kept[gate], pass.kept[up],
                                        activated);
  project(*operations_, tokens_, activated, pass.weights[w_down], out);
  return {};
}

void FeedForwardLayer::recompute(const SublayerPass& pass, const ConstElements& input) const {
  project(*operations_, tokens_, input, pass.weights[w_gate], pass.kept[gate]);
  project(*operations_, tokens_, input, pass.weights[w_up], pass.kept[up]);
}

void FeedForwardLayer::backward_of_output(const SublayerPass& pass, const ConstElements& dout,
                                          const TensorGradients& gradients) const {
  const Elements activated = pass.operand.first(pass.kept[gate].size());
  project_back(*operations_, tokens_, dout, pass.weights[w_down], activated, Store::overwrite);
  // Gradients take the place of gate and up, the product that of its gradient.
  operations_->gated_activation_backward(Activation::silu, pass.kept[gate], pass.kept[up],
                                         activated, pass.kept[gate], pass.kept[up], activated);
  weight_gradient(*operations_, tokens_, dout, activated, gradients.values[w_down],
                  gradients.store);
}

void FeedForwardLayer::backward_of_input(const SublayerPass& pass, const ConstElements& input,
                                         const InputGradient& dinput,
                                         const TensorGradients& gradients) const {
  const auto backward = [&](const ConstElements& dy, std::size_t weight, Store store) {
    project_back(*operations_, tokens_, dy, pass.weights[weight], dinput.values, store);
    weight_gradient(*operations_, tokens_, dy, input, gradients.values[weight], gradients.store);
  };
  backward(pass.kept[gate], w_gate, dinput.store);
  backward(pass.kept[up], w_up, Store::add);
}

std::unique_ptr<SublayerDecoder> make_feed_forward_decoder(const ModelConfig& config, std::size_t,
                                                           const kernels::Gemm& gemm) {
  return std::make_unique<FeedForwardDecoder>(config.ffn, gemm);
}

}  // namespace ballast::model
