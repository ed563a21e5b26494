#include "kernels/swiglu.hpp"
#include "model/block.hpp"

namespace ballast::model {

using kernels::Store;

/// From the stream between the sublayers to gate and up.
void Block::expand(const BlockPass& pass) const {
  const auto sublayer = feed_forward_of(pass);
  enter(sublayer, pass.scratch);
  const auto input = input_of(sublayer, pass.scratch);
  const auto project_to = [&](const Kept& kept, const ConstElements& weight) {
    const auto draft = kept.draft(pass.scratch.staging);
    project(input, weight, draft);
    kept.keep(draft);
  };
  project_to(pass.saved.gate, pass.weights.w_gate);
  project_to(pass.saved.up, pass.weights.w_up);
}

/// From gate and up to the stream that leaves the block.
void Block::contract(const BlockPass& pass, const Kept& out) const {
  const BlockScratch& scratch = pass.scratch;
  Pieces pieces{scratch.staging};
  const auto gate = pass.saved.gate.recall(pieces.take(pass.saved.gate.size()));
  const auto up = pass.saved.up.recall(pieces.take(pass.saved.up.size()));
  {
    const ProfileSpan span{profile_, Region::swiglu_forward,
                           moves(3 * scratch.activated.size_bytes())};
    kernels::swiglu_forward(gate, up, scratch.activated);
  }
  project(rounded(scratch.activated, scratch.operand), pass.weights.w_down, scratch.sublayer);
  leave(feed_forward_of(pass), scratch, out);
}

void Block::feed_forward_backward(const BlockPass& pass, std::span<float> gradient,
                                  const BlockGradients& gradients, Store store) const {
  const BlockScratch& scratch = pass.scratch;
  const Kept& kept_gate = pass.saved.gate;
  const Kept& kept_up = pass.saved.up;
  Pieces pieces{scratch.staging};
  const auto gate_room = pieces.take(kept_gate.size());
  const auto up_room = pieces.take(kept_up.size());
  const auto gate = kept_gate.recall(gate_room);
  const auto up = kept_up.recall(up_room);
  const auto dactivated = scratch.wide.first(kept_gate.size());
  {
    const ProfileSpan span{profile_, Region::swiglu_forward,
                           moves(3 * scratch.activated.size_bytes())};
    kernels::swiglu_forward(gate, up, scratch.activated);
  }
  project_back(rounded(scratch.activated, scratch.operand), pass.weights.w_down,
               rounded(gradient, scratch.gradient_operand), dactivated, Store::overwrite,
               gradients.w_down, store);
  // Their gradients take the place of gate and up.
  const auto dgate = kept_gate.draft(gate_room);
  const auto dup = kept_up.draft(up_room);
  {
    const ProfileSpan span{profile_, Region::swiglu_backward,
                           moves(3 * dactivated.size_bytes() + 2 * kept_gate.bytes())};
    kernels::swiglu_backward(gate, up, dactivated, dgate, dup);
    kept_gate.keep(dgate);
    kept_up.keep(dup);
  }

  // The gradient of the output is not read any more: that of the input may take its place.
  const auto input = input_of(feed_forward_of(pass), scratch);
  const auto dinput = input_gradient(scratch, gradient);
  project_back(input, pass.weights.w_gate, kept_gate.operand(), dinput, input_store(),
               gradients.w_gate, store);
  project_back(input, pass.weights.w_up, kept_up.operand(), dinput, Store::add, gradients.w_up,
               store);
}

}  // namespace ballast::model
