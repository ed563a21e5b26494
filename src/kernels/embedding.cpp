#include "kernels/embedding.hpp"

#include <algorithm>
#include <array>

#include "kernels/convert.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"

namespace ballast::kernels {

namespace {

/// Elements of a row that are added at a time.
constexpr std::size_t kPiece = 512;

BALLAST_KERNEL void add_scaled(const float* from, float factor, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = __builtin_fmaf(factor, from[i], to[i]);
}

ConstElements row_of(const RowsOf& rows, std::size_t token, std::size_t dim) {
  return rows.table.subspan(static_cast<std::size_t>(rows.ids[token]) * dim, dim);
}

/// The sum of both rows, in fp32 until it is stored.
void add_rows(std::size_t dim, const RowsOf& tokens, const RowsOf& positions, std::size_t token,
              const Elements& out) {
  std::array<float, kPiece> sum;
  std::array<float, kPiece> addend;
  for (std::size_t first = 0; first < dim; first += kPiece) {
    const std::size_t count = std::min(kPiece, dim - first);
    std::fill_n(sum.begin(), count, 0.0f);
    for (const RowsOf* rows : {&tokens, &positions}) {
      if (rows->table.empty()) continue;
      convert(row_of(*rows, token, dim).subspan(first, count), std::span{addend}.first(count));
      add_scaled(addend.data(), rows->factor, sum.data(), count);
    }
    convert(std::span<const float>{sum}.first(count), out.subspan(first, count));
  }
}

}  // namespace

void embedding_forward(std::size_t dim, const RowsOf& tokens, const RowsOf& positions,
                       const Elements& out, Team* team) {
  const bool is_copy = positions.table.empty() && tokens.factor == 1.0f;
  for_rows(team, tokens.ids.size(), dim, [&](std::size_t first, std::size_t count) {
    for (std::size_t t = first; t < first + count; ++t) {
      const Elements row = out.subspan(t * dim, dim);
      is_copy ? convert(row_of(tokens, t, dim), row) : add_rows(dim, tokens, positions, t, row);
    }
  });
}

void embedding_backward(std::size_t dim, std::span<const std::int32_t> ids, float factor,
                        std::span<const float> dout, std::span<float> dtable, Team* team) {
  // Tokens may share a row, so tasks take columns.
  for_columns(team, dim, [&](std::size_t first, std::size_t count) {
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const std::size_t row = static_cast<std::size_t>(ids[t]) * dim;
      add_scaled(dout.data() + t * dim + first, factor, dtable.data() + row + first, count);
    }
  });
}

}  // namespace ballast::kernels
