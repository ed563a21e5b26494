#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "fsdp/groups.hpp"
#include "fsdp/host_region.hpp"
#include "fsdp/leaf_fold.hpp"
#include "model/parameters.hpp"

namespace ballast::fsdp {

/// Moves the gradients of whole units from the ranks that computed them to the ranks that own their
/// parts, where a LeafFold adds them up. One implementation per Transport. All ranks must reduce
/// the same units in the same order.
class GradientExchange {
 public:
  explicit GradientExchange(LeafGroups groups) : fold_{groups} {}
  virtual ~GradientExchange() = default;

  /// The threads that share the sums; see LeafFold.
  void set_team(Team* team) { fold_.set_team(team); }

  /// Connects to the other ranks, once memory is committed. `region`: null unless the transport is
  /// one.
  virtual void connect(Groups& groups, HostRegion* region) = 0;

  /// Where this rank writes the gradient of `unit`; waits until the room is free.
  virtual std::span<float> room(model::UnitId unit) = 0;
  /// The gradient of `unit` is complete in its room, on the ranks that contribute to `wave`.
  virtual void reduce(model::UnitId unit, const Wave& wave) = 0;
  /// Moves on what is under way, without waiting.
  virtual void advance() {}
  /// Everything reduced so far is in the accumulators when this returns.
  virtual void finish() = 0;

  /// The first gradient of the step that was not finite, if any.
  [[nodiscard]] const std::optional<Offender>& offender() const { return fold_.offender(); }
  void begin_step() { fold_.begin_step(); }

  /// Bytes of other ranks' gradients that were read here so far.
  [[nodiscard]] virtual std::uint64_t reduced_bytes() const = 0;

 protected:
  LeafFold fold_;
};

}  // namespace ballast::fsdp
