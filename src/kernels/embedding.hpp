#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/team.hpp"
#include "tensor/element.hpp"

namespace ballast::kernels {

/// out[t] = table[ids[t]]. table: [vocabulary, dim]; ids: [tokens]; out: [tokens, dim]. Of any
/// types.
void embedding_forward(std::size_t dim, std::span<const std::int32_t> ids,
                       const ConstElements& table, const Elements& out, Team* team = nullptr);

/// dtable[ids[t]] += dout[t], in token order. The caller clears dtable where it must start at zero.
void embedding_backward(std::size_t dim, std::span<const std::int32_t> ids,
                        std::span<const float> dout, std::span<float> dtable, Team* team = nullptr);

}  // namespace ballast::kernels
