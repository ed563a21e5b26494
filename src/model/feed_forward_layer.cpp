#include "model/feed_forward_layer.hpp"

#include "kernels/gated_activation.hpp"
#include "kernels/ungated_activation.hpp"
#include "model/linear.hpp"

namespace ballast::model {

using kernels::Store;

namespace {

enum Tensor : std::size_t { w_gate, w_up, w_down, b_gate, b_up, b_down };
enum Kept : std::size_t { gate, up };

class FeedForwardDecoder final : public SublayerDecoder {
 public:
  FeedForwardDecoder(const ModelConfig& config, const kernels::Gemm& gemm)
      : kind_{config.activation}, gate_(config.ffn), up_(config.ffn), gemm_{&gemm} {}

  void advance(std::size_t, std::span<const ConstElements> weights, std::span<const float> input,
               std::span<float> out) override {
    project_token(*gemm_, input, weights[w_up], weights[b_up], up_);
    const auto activation = activation_of(kind_);
    if (is_gated(kind_)) {
      project_token(*gemm_, input, weights[w_gate], weights[b_gate], gate_);
      kernels::gated_activation_forward(activation, std::span{gate_}, std::span{up_},
                                        std::span{up_});
    } else {
      kernels::activation_forward(activation, std::span{up_}, std::span{up_});
    }
    project_token(*gemm_, up_, weights[w_down], weights[b_down], out);
  }

 private:
  FeedForward kind_;
  std::vector<float> gate_, up_;
  const kernels::Gemm* gemm_;
};

}  // namespace

SublayerSpec FeedForwardLayer::list(const ModelConfig& config) {
  using enum TensorRole;
  const std::size_t dim = config.dim;
  const std::size_t gated = is_gated(config.activation) ? config.ffn : 0;
  const std::size_t if_bias = config.biases.ffn ? 1 : 0;
  return {
      .kind = SublayerKind::feed_forward,
      .norm = "ffn_norm",
      .output_norm = "ffn_output_norm",
      .tensors = {{"w_gate", "gate", {gated, dim}, linear, config.init_std},
                  {"w_up", "up", {config.ffn, dim}, linear, config.init_std},
                  {"w_down", "down", {dim, config.ffn}, linear, config.residual_std()},
                  {"b_gate", "", {if_bias * gated}, bias},
                  {"b_up", "", {if_bias * config.ffn}, bias},
                  {"b_down", "", {if_bias * dim}, bias}},
      .kept = {{"gate", gated}, {"up", config.ffn}},
      .operand_width = config.ffn,
  };
}

std::optional<AttentionSignals> FeedForwardLayer::forward(const SublayerPass& pass,
                                                          const ConstElements& input,
                                                          std::span<float> out) const {
  recompute(pass, input);
  const Elements activated = pass.operand.first(pass.kept[up].size());
  if (is_gated(kind_)) {
    operations_->gated_activation_forward(activation_of(kind_), pass.kept[gate], pass.kept[up],
                                          activated);
  } else {
    operations_->activation_forward(activation_of(kind_), pass.kept[up], activated);
  }
  project(*operations_, tokens_, activated, pass, {w_down, b_down}, out);
  return {};
}

void FeedForwardLayer::recompute(const SublayerPass& pass, const ConstElements& input) const {
  if (is_gated(kind_)) {
    project(*operations_, tokens_, input, pass, {w_gate, b_gate}, pass.kept[gate]);
  }
  project(*operations_, tokens_, input, pass, {w_up, b_up}, pass.kept[up]);
}

void FeedForwardLayer::backward_of_output(const SublayerPass& pass, const ConstElements& dout,
                                          const TensorGradients& gradients) const {
  const Elements activated = pass.operand.first(pass.kept[up].size());
  project_back(*operations_, tokens_, dout, pass.weights[w_down], activated, Store::overwrite);
  // Gradients take the place of gate and up, the product that of its gradient.
  if (is_gated(kind_)) {
    operations_->gated_activation_backward(activation_of(kind_), pass.kept[gate], pass.kept[up],
                                           activated, pass.kept[gate], pass.kept[up], activated);
  } else {
    operations_->activation_backward(activation_of(kind_), pass.kept[up], activated, pass.kept[up],
                                     activated);
  }
  linear_gradients(*operations_, tokens_, dout, activated, pass, {w_down, b_down}, gradients);
}

void FeedForwardLayer::backward_of_input(const SublayerPass& pass, const ConstElements& input,
                                         const InputGradient& dinput,
                                         const TensorGradients& gradients) const {
  const auto backward = [&](const ConstElements& dy, const LinearTensors& linear, Store store) {
    project_back(*operations_, tokens_, dy, pass.weights[linear.weight], dinput.values, store);
    linear_gradients(*operations_, tokens_, dy, input, pass, linear, gradients);
  };
  if (is_gated(kind_)) backward(pass.kept[gate], {w_gate, b_gate}, dinput.store);
  backward(pass.kept[up], {w_up, b_up}, is_gated(kind_) ? Store::add : dinput.store);
}

std::unique_ptr<SublayerDecoder> make_feed_forward_decoder(const ModelConfig& config,
                                                           const kernels::Gemm& gemm) {
  return std::make_unique<FeedForwardDecoder>(config, gemm);
}

}  // namespace ballast::model
