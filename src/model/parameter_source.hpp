#pragma once

#include <span>

#include "kernels/gemm.hpp"
#include "model/parameters.hpp"

namespace ballast::model {

/// Where a backward pass writes a unit's gradient, and whether it replaces what is there.
struct GradientRoom {
  std::span<float> values;  ///< the whole unit, padding included
  kernels::Store store;
};

/// What a model needs of whoever keeps its parameters. In one process they simply lie in memory
/// (WholeParameters); in a sharded job `fsdp` gathers them on demand. A unit is a flat span, its
/// tensors at the offsets of the parameter table.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;

  /// The full parameters of `unit`, valid until its release.
  virtual std::span<const float> acquire(UnitId unit) = 0;
  virtual void release(UnitId unit) = 0;

  /// Handed out before the unit's backward starts; to be filled or added to, as it says.
  virtual GradientRoom gradient_room(UnitId unit) = 0;
  /// The unit's gradient is complete for this micro-batch.
  virtual void gradient_ready(UnitId unit) = 0;
};

/// Full parameters as a lease: acquired here, released at scope end.
class ParameterLease {
 public:
  ParameterLease(ParameterSource& source, UnitId unit)
      : source_{&source}, unit_{unit}, values_{source.acquire(unit)} {}
  ~ParameterLease() { source_->release(unit_); }
  ParameterLease(const ParameterLease&) = delete;
  ParameterLease& operator=(const ParameterLease&) = delete;

  [[nodiscard]] std::span<const float> values() const { return values_; }

 private:
  ParameterSource* source_;
  UnitId unit_;
  std::span<const float> values_;
};

}  // namespace ballast::model
