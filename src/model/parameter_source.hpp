#pragma once

#include <span>

#include "kernels/gemm/gemm.hpp"
#include "model/parameters.hpp"
#include "tensor/element.hpp"

namespace ballast::model {

/// Where a backward pass writes a unit's gradient, and whether it replaces what is there.
struct GradientRoom {
  std::span<float> values;  ///< the whole unit, padding included
  kernels::Store store = kernels::Store::overwrite;
};

/// What a model needs of the owner of its parameters. In one process they simply lie in memory
/// (WholeParameters); in a sharded job `fsdp` gathers them on demand. A unit is a flat run of
/// elements, its tensors at the offsets of the parameter table.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;

  /// The full parameters of `unit` in the compute type, valid until its release.
  virtual ConstElements acquire(UnitId unit) = 0;
  virtual void release(UnitId unit) = 0;

  /// Called at every visit that adds to the gradient of a unit that trains. Within a micro-batch it
  /// always returns the same room. Every tensor must be written or added to, as GradientRoom::store
  /// says.
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

  [[nodiscard]] const ConstElements& values() const { return values_; }

 private:
  ParameterSource* source_;
  UnitId unit_;
  ConstElements values_;
};

}  // namespace ballast::model
