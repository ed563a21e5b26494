#pragma once

#include "tensor/element.hpp"

namespace ballast::model {

/// What a model stores its numbers as. Norms, softmax, SwiGLU, loss and all sums are in fp32
/// whatever it says (after Micikevicius et al. 2018): numbers are rounded where they are stored.
struct Precision {
  ElementType compute = ElementType::fp32;   ///< weights, and what matrix products read
  ElementType residual = ElementType::fp32;  ///< the stream between the blocks: fp32 or bf16

  friend bool operator==(const Precision&, const Precision&) = default;
};

}  // namespace ballast::model
