#include "model/linear.hpp"

#include "kernels/elementwise.hpp"

namespace ballast::model {

using kernels::Destination;
using kernels::matrix;
using kernels::Operand;
using kernels::Store;
using kernels::Transpose;

void project(const kernels::Operations& operations, std::size_t tokens, const ConstElements& x,
             const ConstElements& w, const Elements& y) {
  const std::size_t in = x.size() / tokens;
  const std::size_t out = y.size() / tokens;
  operations.multiply(Operand{x, tokens, in}, Transpose::no, Operand{w, out, in}, Transpose::yes,
                      Destination{y, tokens, out}, Store::overwrite);
}

void project_back(const kernels::Operations& operations, std::size_t tokens,
                  const ConstElements& dy, const ConstElements& w, const Elements& dx,
                  Store store) {
  const std::size_t in = dx.size() / tokens;
  const std::size_t out = dy.size() / tokens;
  operations.multiply(Operand{dy, tokens, out}, Transpose::no, Operand{w, out, in}, Transpose::no,
                      Destination{dx, tokens, in}, store);
}

void weight_gradient(const kernels::Operations& operations, std::size_t tokens,
                     const ConstElements& dy, const ConstElements& x, std::span<float> dw,
                     Store store) {
  if (dw.empty()) return;
  const std::size_t in = x.size() / tokens;
  const std::size_t out = dy.size() / tokens;
  operations.multiply(Operand{dy, tokens, out}, Transpose::yes, Operand{x, tokens, in},
                      Transpose::no, matrix(dw.data(), out, in), store);
}

void project_token(const kernels::Gemm& gemm, std::span<const float> x, const ConstElements& w,
                   const ConstElements& b, std::span<float> y) {
  gemm.multiply(matrix(x.data(), 1, x.size()), Transpose::no, Operand{w, y.size(), x.size()},
                Transpose::yes, matrix(y.data(), 1, y.size()), Store::overwrite);
  if (!b.empty()) kernels::accumulate(b.floats(), y);
}

void project(const kernels::Operations& operations, std::size_t tokens, const ConstElements& x,
             const SublayerPass& pass, const LinearTensors& linear, const Elements& y) {
  if (pass.linears != nullptr) {
    pass.linears->before_linear(pass.layer, {pass.sublayer, linear.weight}, x);
  }
  project(operations, tokens, x, pass.weights[linear.weight], y);
  const ConstElements& bias = pass.weights[linear.bias];
  if (!bias.empty()) {
    operations.add_bias(tokens, bias.size(), operations.widened(bias, pass.gain), y);
  }
}

void linear_gradients(const kernels::Operations& operations, std::size_t tokens,
                      const ConstElements& dy, const ConstElements& x, const SublayerPass& pass,
                      const LinearTensors& linear, const TensorGradients& gradients) {
  weight_gradient(operations, tokens, dy, x, gradients.values[linear.weight], gradients.store);
  const auto dbias = gradients.values[linear.bias];
  if (dbias.empty()) return;
  operations.bias_gradient(tokens, dbias.size(), dy, {dbias, gradients.store, pass.gain_sums});
}

}  // namespace ballast::model
