#pragma once

#include <span>

#include "kernels/operations/operations.hpp"
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

/// y = w x for one token, in fp32. w: [y.size(), x.size()].
void project_token(const kernels::Gemm& gemm, std::span<const float> x, const ConstElements& w,
                   std::span<float> y);

}  // namespace ballast::model
