// Prints one hash per library and element type of products of many shapes, and how many threads the
// process came to have: equal whatever thread count the environment asks for.
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <iterator>
#include <span>
#include <vector>

#include "base/hash.hpp"
#include "kernels/convert.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/values.hpp"

namespace {

using namespace ballast;
using namespace ballast::kernels;

/// The last two are large enough that a library with two threads would split them, the last along
/// its sum.
constexpr std::size_t kShapes[][3] = {{1, 1, 1},      {3, 7, 5},       {64, 130, 65}, {33, 64, 2},
                                      {257, 96, 513}, {300, 700, 400}, {24, 32, 9000}};

/// A matrix as `type`, in memory of its own.
struct Stored {
  std::vector<std::byte> bytes;
  std::size_t numel;
  ElementType type;

  [[nodiscard]] Operand as(std::size_t rows, std::size_t cols) const {
    return {ConstElements{bytes.data(), numel, type}, rows, cols};
  }
};

Stored stored(std::span<const float> values, ElementType type) {
  Stored made{std::vector<std::byte>(values.size() * size_of(type)), values.size(), type};
  narrow(values, {made.bytes.data(), values.size(), type});
  return made;
}

Hash128 digest(const Gemm& gemm, ElementType type) {
  Hasher hasher;
  for (const auto& [m, n, k] : kShapes) {
    const Stored a = stored(random_values(1, m * k), type);
    const Stored b = stored(random_values(2, k * n), type);
    const auto before = random_values(3, m * n);
    for (const Transpose transpose_a : {Transpose::no, Transpose::yes}) {
      for (const Transpose transpose_b : {Transpose::no, Transpose::yes}) {
        auto c = before;
        gemm.multiply(transpose_a == Transpose::no ? a.as(m, k) : a.as(k, m), transpose_a,
                      transpose_b == Transpose::no ? b.as(k, n) : b.as(n, k), transpose_b,
                      matrix(c.data(), m, n), Store::add);
        hasher.update(std::as_bytes(std::span{c}));
      }
    }
  }
  return hasher.digest();
}

}  // namespace

int main() {
  for (const GemmLibrary library : gemm_libraries()) {
    const auto gemm = make_gemm(library);
    fmt::print("{}:\n", gemm->description());
    for (const ElementType type : {ElementType::fp32, ElementType::bf16}) {
      fmt::print("  {} {}\n", name_of(type), digest(*gemm, type).hex());
    }
  }
  const auto threads = std::filesystem::directory_iterator{"/proc/self/task"};
  fmt::print("threads: {}\n", std::distance(begin(threads), end(threads)));
}
