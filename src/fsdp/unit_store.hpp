#pragma once

#include <cstdint>

#include "fsdp/groups.hpp"
#include "fsdp/host_region.hpp"
#include "model/parameter_source.hpp"
#include "model/step_program.hpp"
#include "tensor/element.hpp"

namespace ballast::fsdp {

/// Holds the weights that the model computes with, and gathers a unit of them. One implementation
/// per Transport. All ranks must acquire the same units in the same order.
class UnitStore {
 public:
  virtual ~UnitStore() = default;

  /// Connects to the other ranks, once memory is committed. `region`: null unless the transport is
  /// one.
  virtual void connect(Groups& groups, HostRegion* region) = 0;

  /// This rank's run of the unit, to be written between `begin_version` and `publish`.
  [[nodiscard]] virtual Elements held(model::UnitId unit) const = 0;

  /// The whole unit in its current version, until its release.
  virtual ConstElements acquire(model::UnitId unit) = 0;
  virtual void release(model::UnitId unit) = 0;

  /// New weights follow. Every rank calls it after an exchange that no rank enters before its last
  /// read.
  virtual void begin_version() = 0;
  /// This rank's run of the unit is written: what was acquired of it before is out of date. Units
  /// are published in ascending order, each at most once a version, the same ones on every rank;
  /// the others stay as they were.
  virtual void publish(model::UnitId unit) = 0;

  /// The program of the next micro-batch: a store may start gathers early.
  virtual void follow(const model::StepProgram& program) = 0;

  /// Bytes of other ranks' runs that were received so far.
  [[nodiscard]] virtual std::uint64_t gathered_bytes() const = 0;
};

}  // namespace ballast::fsdp
