#pragma once

#include <span>

#include "kernels/operations/operations.hpp"
#include "model/sublayer.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

// A linear layer over `tokens` rows: y = x wᵀ. x: [tokens, in]; w: [out, in]; y: [tokens, out].

/// y is fp32 or of the operands' type.
void project(const kernels::Operations& operations, std::size_t tokens, const ConstElements& x,
             const ConstElements& w, const Elements& y);
/// dx = dy w, in fp32 or of the operands' type where it is overwritten.
void project_back(const kernels::Operations& operations, std::size_t tokens,
                  const ConstElements& dy, const ConstElements& w, const Elements& dx,
                  kernels::Store store);
/// dw = dyᵀ x. Does nothing where dw is empty: then w does not train.
void weight_gradient(const kernels::Operations& operations, std::size_t tokens,
                     const ConstElements& dy, const ConstElements& x, std::span<float> dw,
                     kernels::Store store);

/// y = w x + b for one token, in fp32. w: [y.size(), x.size()]; b: [y.size()], or empty.
void project_token(const kernels::Gemm& gemm, std::span<const float> x, const ConstElements& w,
                   const ConstElements& b, std::span<float> y);

/// A linear layer of a sublayer, in its list of tensors. Where the model has no such bias, the
/// bias's tensor is empty.
struct LinearTensors {
  std::size_t weight;
  std::size_t bias;
};

/// y = x wᵀ + b.
void project(const kernels::Operations& operations, std::size_t tokens, const ConstElements& x,
             const SublayerPass& pass, const LinearTensors& linear, const Elements& y);
/// The gradients of weight and bias, of what of them trains.
void linear_gradients(const kernels::Operations& operations, std::size_t tokens,
                      const ConstElements& dy, const ConstElements& x, const SublayerPass& pass,
                      const LinearTensors& linear, const TensorGradients& gradients);

}  // namespace ballast::model
