#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/granule.hpp"
#include "model/sublayer_spec.hpp"

namespace ballast::model {

/// Units are gathered and released together, and a unit is all trained or all frozen: what the
/// grouping puts together becomes two units where only a part of it trains.
using UnitId = std::size_t;

/// Where a block's tensor belongs: in which of its sublayers, and where in that one's list.
struct TensorSlot {
  static constexpr std::size_t kGain = kMostTensors;  ///< of the norm before it, or of the stream
  static constexpr std::size_t kOutputGain = kMostTensors + 1;  ///< of the norm of its result
  std::size_t sublayer;
  std::size_t tensor;
};

/// One row of the parameter table: what a tensor is, and where it lies.
struct ParameterInfo {
  std::string name;  ///< e.g. "block.3.attention.wq"
  std::vector<std::size_t> shape;
  UnitId unit;
  std::size_t offset;         ///< first element within the unit, a multiple of the granule
  std::size_t numel;          ///< logical elements; what follows up to the granule's end is padding
  std::size_t first_granule;  ///< in the canonical order of the whole model
  Decay decay;
  InitKind init;
  double init_std;  ///< for InitKind::normal
  TensorRole role;
  TensorSlot slot;  ///< of a block's tensor

  [[nodiscard]] std::size_t granules() const { return granules_for(numel); }
};

}  // namespace ballast::model
