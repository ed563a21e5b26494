#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/team.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// Rows of a table, one for each token: table[ids[t]], times `factor`. ids: [tokens]; table:
/// [rows, dim]. Without a table: nothing.
struct RowsOf {
  std::span<const std::int32_t> ids;
  ConstElements table;
  float factor = 1.0f;
};

/// out[t] = the token's row, and that of its position, if there are any. out: [tokens, dim]. Of any
/// types.
void embedding_forward(std::size_t dim, const RowsOf& tokens, const RowsOf& positions,
                       const Elements& out, Team* team = nullptr);

/// dtable[ids[t]] += factor dout[t], in token order. The caller clears dtable where it must start
/// at zero.
void embedding_backward(std::size_t dim, std::span<const std::int32_t> ids, float factor,
                        std::span<const float> dout, std::span<float> dtable, Team* team = nullptr);

}  // namespace ballast::kernels
