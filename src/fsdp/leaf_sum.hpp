#pragma once

#include "fsdp/wave.hpp"

namespace ballast::fsdp {

/// The gradient of one leaf, or the sum of leaves of one group that a host has formed.
struct LeafSum {
  const float* values;
  LeafRange leaves;
};

}  // namespace ballast::fsdp
