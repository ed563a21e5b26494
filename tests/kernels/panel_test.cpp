#include <fmt/core.h>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "kernels/convert.hpp"
#include "kernels/panel/panel_kernel.hpp"
#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

/// Bytes on a cache line, as panels want them.
class Panels {
 public:
  explicit Panels(std::size_t bytes) : room_(bytes + kLine) {}

  [[nodiscard]] std::byte* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(room_.data());
    return room_.data() + (kLine - address % kLine) % kLine;
  }

 private:
  static constexpr std::size_t kLine = 64;
  std::vector<std::byte> room_;
};

/// An operand, [count, depth] or [depth, count] as `neighbors` says, in a type of its own.
struct Source {
  Source(std::uint32_t stream, std::size_t n, std::size_t k, Neighbors direction, ElementType of)
      : count{n}, depth{k}, neighbors{direction}, type{of}, bytes(n * k * size_of(of)) {
    const auto drawn = random_values(stream, n * k);
    narrow(drawn, {bytes.data(), drawn.size(), type});
    values.resize(drawn.size());
    widen({bytes.data(), drawn.size(), type}, values);
  }

  [[nodiscard]] std::size_t stride() const {
    return neighbors == Neighbors::along_depth ? depth : count;
  }
  [[nodiscard]] PanelSource source() const {
    return {bytes.data(), stride(), count, depth, neighbors, type};
  }
  [[nodiscard]] double at(std::size_t i, std::size_t k) const {
    const bool along = neighbors == Neighbors::along_depth;
    return static_cast<double>(values[along ? i * depth + k : k * count + i]);
  }

  std::size_t count;
  std::size_t depth;
  Neighbors neighbors;
  ElementType type;
  std::vector<std::byte> bytes;
  std::vector<float> values;
};

struct Candidate {
  std::shared_ptr<PanelKernel> kernel;
  ElementType type;
};

/// Every kernel here with every type that it takes.
std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    all.push_back({make_portable_kernel(), type});
    all.push_back({make_panel_kernel(type), type});
    if (auto kernel = make_avx512_kernel()) all.push_back({std::move(kernel), type});
  }
  return all;
}

/// Adds the product of the depths from `start` on to what `c` holds, or overwrites that.
void check(const Candidate& candidate, const Source& a, const Source& b, std::size_t start,
           bool add, Order order) {
  const PanelKernel& kernel = *candidate.kernel;
  const PanelShape shape = kernel.shape();
  const std::size_t size = size_of(kernel.type());
  const std::size_t whole = shape.padded_depth(a.depth);
  const auto room = [&](std::size_t count, std::size_t width) {
    return (count + width - 1) / width * width * whole * size;
  };
  // The part of op(a) that meets the rest of op(b) is packed alone.
  const std::size_t offset = a.neighbors == Neighbors::along_depth ? start : start * a.count;
  PanelSource part = a.source();
  part.data += offset * size_of(a.type);
  part.depth -= start;
  Panels left{room(a.count, shape.rows)};
  Panels right{room(b.count, shape.cols)};
  kernel.pack_a(part, left.data());
  kernel.pack_b(b.source(), right.data());

  const auto before = random_values(3, a.count * b.count);
  auto c = before;
  kernel.multiply({.a = left.data(),
                   .a_stride = 0,
                   .b = right.data() + start * shape.cols * size,
                   .m = a.count,
                   .n = b.count,
                   .depth = part.depth,
                   .c = {.data = reinterpret_cast<std::byte*>(c.data()),
                         .stride = order == Order::row_major ? b.count : a.count,
                         .type = ElementType::fp32,
                         .add = add,
                         .stream = false,
                         .alpha = 1.0f,
                         .order = order},
                   .b_stride = whole * shape.cols});
  std::vector<double> expected(c.size());
  for (std::size_t i = 0; i < a.count; ++i) {
    for (std::size_t j = 0; j < b.count; ++j) {
      const std::size_t at = order == Order::row_major ? i * b.count + j : j * a.count + i;
      double& sum = expected[at];
      sum = add ? static_cast<double>(before[at]) : 0.0;
      for (std::size_t k = start; k < a.depth; ++k) sum += a.at(i, k) * b.at(j, k);
    }
  }
  EXPECT_LE(relative_error(c, expected), 1e-6);
}

TEST(PanelKernel, MultipliesPartsOfPanelsInAnyLayout) {
  constexpr std::size_t kShapes[][3] = {{1, 1, 1},    {5, 7, 3},    {6, 16, 32},
                                        {32, 32, 64}, {33, 65, 97}, {64, 96, 130}};
  for (const Candidate& candidate : candidates()) {
    for (const auto& [m, n, k] : kShapes) {
      for (const auto of_a : {Neighbors::along_depth, Neighbors::across_depth}) {
        for (const auto of_b : {Neighbors::along_depth, Neighbors::across_depth}) {
          SCOPED_TRACE(fmt::format("{} of {}: {} x {} x {}", candidate.kernel->name(),
                                   name_of(candidate.type), m, n, k));
          const Source a{1, m, k, of_a, candidate.type};
          const Source b{2, n, k, of_b, candidate.type};
          for (const Order order : {Order::row_major, Order::column_major}) {
            check(candidate, a, b, 0, false, order);
            check(candidate, a, b, 0, true, order);
            if (k > 32) check(candidate, a, b, 32, true, order);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace ballast::kernels
