#pragma once

#include <span>

#include "base/team.hpp"
#include "kernels/convert.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// `x` in fp32: the elements themselves where they are, otherwise a copy in `room`.
[[nodiscard]] inline std::span<const float> widened(const ConstElements& x, std::span<float> room) {
  if (x.type() == ElementType::fp32) return x.floats();
  const auto copy = room.first(x.size());
  kernels::widen(x, copy);
  return copy;
}

/// `x` as a matrix product of room.type() reads it: itself where it is of that type, otherwise a
/// rounded copy in `room`, which may be empty in the first case.
[[nodiscard]] inline ConstElements rounded(const ConstElements& x, const Elements& room,
                                           Team* team) {
  if (x.type() == room.type()) return x;
  const Elements copy = room.first(x.size());
  kernels::convert(x, copy, team);
  return copy;
}

}  // namespace ballast::model
