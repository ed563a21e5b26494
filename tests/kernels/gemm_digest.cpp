// Prints one hash per library of products of many shapes: equal at any thread count.
#include <cstdlib>
#include <fmt/core.h>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "kernels/gemm.hpp"
#include "kernels/values.hpp"

namespace {

using namespace ballast;
using namespace ballast::kernels;

/// The last is large enough that a library with two threads would split it.
constexpr std::size_t kShapes[][3] = {{1, 1, 1},   {3, 7, 5},      {64, 130, 65},
                                      {33, 64, 2}, {257, 96, 513}, {300, 700, 400}};

Hash128 digest(const Gemm& gemm) {
  Hasher hasher;
  for (const auto& [m, n, k] : kShapes) {
    for (const Transpose transpose_a : {Transpose::no, Transpose::yes}) {
      for (const Transpose transpose_b : {Transpose::no, Transpose::yes}) {
        const auto a = random_values(1, m * k);
        const auto b = random_values(2, k * n);
        auto c = random_values(3, m * n);
        gemm.multiply(
            transpose_a == Transpose::no ? matrix(a.data(), m, k) : matrix(a.data(), k, m),
            transpose_a,
            transpose_b == Transpose::no ? matrix(b.data(), k, n) : matrix(b.data(), n, k),
            transpose_b, matrix(c.data(), m, n), Store::add);
        hasher.update(std::as_bytes(std::span{c}));
      }
    }
  }
  return hasher.digest();
}

}  // namespace

int main() {
  for (const GemmLibrary library : {GemmLibrary::openblas, default_gemm_library()}) {
    const auto gemm = make_gemm(library);
    fmt::print("{}: {}\n", gemm->description(), digest(*gemm).hex());
  }
}
