#include "kernels/swiglu.hpp"
#include "model/block.hpp"

namespace ballast::model {

using kernels::Store;

/// From the sublayer's input to gate and up.
void Block::expand(const BlockPass& pass) const {
  const auto input = input_of(feed_forward_of(pass), pass.scratch);
  project(input, pass.weights.w_gate, pass.saved.gate);
  project(input, pass.weights.w_up, pass.saved.up);
}

/// From gate and up to the stream that leaves the block.
void Block::contract(const BlockPass& pass, const Elements& out) const {
  const BlockScratch& scratch = pass.scratch;
  const auto activated = scratch.operand.first(pass.saved.gate.size());
  {
    const ProfileSpan span{profile_, Region::swiglu_forward, moves(3 * activated.size_bytes())};
    kernels::swiglu_forward(pass.saved.gate, pass.saved.up, activated, team_);
  }
  project(activated, pass.weights.w_down, scratch.sublayer);
  leave(feed_forward_of(pass), scratch, out);
}

void Block::feed_forward_backward(const BlockPass& pass, std::span<float> gradient,
                                  const BlockGradients& gradients, Store store) const {
  const BlockScratch& scratch = pass.scratch;
  const Elements& gate = pass.saved.gate;
  const Elements& up = pass.saved.up;
  const auto activated = scratch.operand.first(gate.size());
  const auto dout = operand_of(gradient, scratch);
  project_back(dout, pass.weights.w_down, activated, Store::overwrite);
  // Gradients take the place of gate and up, the product that of its gradient.
  {
    const ProfileSpan span{profile_, Region::swiglu_backward, moves(6 * gate.size_bytes())};
    kernels::swiglu_backward(gate, up, activated, gate, up, activated, team_);
  }
  weight_gradient(dout, activated, gradients.w_down, store);

  // The gradient of the output is not read any more: that of the input may take its place.
  const auto input = input_again(feed_forward_of(pass), scratch);
  const auto dinput = input_gradient(scratch, gradient);
  project_back(gate, pass.weights.w_gate, dinput, input_store());
  weight_gradient(gate, input, gradients.w_gate, store);
  project_back(up, pass.weights.w_up, dinput, Store::add);
  weight_gradient(up, input, gradients.w_up, store);
}

}  // namespace ballast::model
