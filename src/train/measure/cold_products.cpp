#include "train/measure/cold_products.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "model/flop.hpp"
#include "model/loss_head.hpp"

namespace ballast::train {

namespace {

using kernels::GemmCall;
using kernels::Operand;
using kernels::Transpose;

/// Larger than a core's share of any cache.
constexpr std::size_t kPoolBytes = std::size_t{64} << 20;
constexpr std::size_t kAlignment = 64;

std::size_t operand_bytes(const GemmCall& call) {
  return std::max(call.m, call.n) * call.k * size_of(call.type);
}

std::size_t result_bytes(const GemmCall& call) { return call.m * call.n * sizeof(float); }

std::size_t most(const std::vector<StepProduct>& products,
                 std::size_t (*bytes)(const GemmCall& call)) {
  std::size_t largest = 0;
  for (const StepProduct& product : products) largest = std::max(largest, bytes(product.call));
  return largest;
}

}  // namespace

std::vector<StepProduct> step_products(const model::ModelConfig& config, std::size_t tokens,
                                       ElementType type) {
  std::vector<StepProduct> products;
  const auto add = [&](const model::Linear& linear, std::size_t rows, double count) {
    const auto& [name, out, in] = linear;
    const Transpose no = Transpose::no;
    const Transpose yes = Transpose::yes;
    products.push_back({fmt::format("{} NT", name), {type, no, yes, rows, out, in}, count});
    products.push_back({fmt::format("{} NN", name), {type, no, no, rows, in, out}, count});
    products.push_back({fmt::format("{} TN", name), {type, yes, no, out, in, rows}, count});
  };
  for (const model::Linear& linear : model::linears_of_block(config)) {
    add(linear, tokens, static_cast<double>(config.layers));
  }
  const std::size_t chunk = model::loss_chunk_tokens(tokens, config.vocabulary);
  add(model::head_of(config), chunk, static_cast<double>(tokens) / static_cast<double>(chunk));
  return products;
}

ColdMemory::ColdMemory(std::size_t bytes) : memory_{std::max(bytes, kPoolBytes) + kAlignment} {
  std::ranges::fill(all(), 0.5f);
}

std::byte* ColdMemory::take(std::size_t bytes) {
  const std::size_t aligned = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (at_ + aligned > memory_.bytes().size()) at_ = 0;
  std::byte* const taken = memory_.bytes().data() + at_;
  at_ += aligned;
  return taken;
}

std::span<float> ColdMemory::all() {
  return {reinterpret_cast<float*>(memory_.bytes().data()), memory_.bytes().size() / sizeof(float)};
}

ColdProducts::ColdProducts(const std::vector<StepProduct>& products)
    : read_{2 * most(products, operand_bytes)}, written_{most(products, result_bytes)} {}

double ColdProducts::time(const kernels::Gemm& gemm, const GemmCall& call) {
  const auto operand = [&](std::size_t rows, std::size_t cols, Transpose transpose) {
    if (transpose == Transpose::yes) std::swap(rows, cols);
    const std::size_t numel = rows * cols;
    return Operand{{read_.take(numel * size_of(call.type)), numel, call.type}, rows, cols};
  };
  const Operand a = operand(call.m, call.k, call.transpose_a);
  const Operand b = operand(call.k, call.n, call.transpose_b);
  const auto c =
      kernels::matrix(reinterpret_cast<float*>(written_.take(result_bytes(call))), call.m, call.n);
  const Stopwatch watch;
  gemm.multiply(a, call.transpose_a, b, call.transpose_b, c, kernels::Store::overwrite);
  return watch.elapsed_s();
}

}  // namespace ballast::train
