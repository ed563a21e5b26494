#include "kernels/embedding.hpp"

#include "kernels/convert.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL void add_row(const float* from, float* to, std::size_t dim) {
  for (std::size_t i = 0; i < dim; ++i) to[i] += from[i];
}

}  // namespace

void embedding_forward(std::size_t dim, std::span<const std::int32_t> ids,
                       const ConstElements& table, const Elements& out, Team* team) {
  for_rows(team, ids.size(), dim, [&](std::size_t first, std::size_t count) {
    for (std::size_t t = first; t < first + count; ++t) {
      const auto row = table.subspan(static_cast<std::size_t>(ids[t]) * dim, dim);
      convert(row, out.subspan(t * dim, dim));
    }
  });
}

void embedding_backward(std::size_t dim, std::span<const std::int32_t> ids,
                        std::span<const float> dout, std::span<float> dtable, Team* team) {
  // Tokens may share a row, so tasks take columns.
  for_columns(team, dim, [&](std::size_t first, std::size_t count) {
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const std::size_t row = static_cast<std::size_t>(ids[t]) * dim;
      add_row(dout.data() + t * dim + first, dtable.data() + row + first, count);
    }
  });
}

}  // namespace ballast::kernels
