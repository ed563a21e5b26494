#pragma once

#include <cstddef>

#include "model/parameter_info.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Sees what linear layers read in a forward pass. A model without one does nothing for it; a
/// backward that computes activations again shows nothing a second time.
class LinearObserver {
 public:
  virtual ~LinearObserver() = default;

  /// Block `layer` is about to multiply `input` with one of its tensors. input: [tokens, columns of
  /// the tensor], in the compute type. Layers that share their input show it one by one.
  virtual void before_linear(std::size_t layer, TensorSlot tensor, const ConstElements& input) = 0;
  /// The same of the output head. input: [tokens, dim].
  virtual void before_head(const ConstElements& input) = 0;
};

}  // namespace ballast::model
