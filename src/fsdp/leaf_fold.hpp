#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/team.hpp"
#include "fsdp/leaf_sum.hpp"
#include "fsdp/wave.hpp"
#include "model/parameters.hpp"

namespace ballast::fsdp {

/// One reduction: the sum of a unit's gradients over a wave.
struct Reduction {
  model::UnitId unit;
  Wave wave;
  std::uint64_t order;  ///< of the reduction within the step
};

/// Where a gradient was first found that is not finite.
struct Offender {
  std::uint64_t order;  ///< of its reduction within the step
  std::size_t leaf;
  std::size_t rank;  ///< that computed the leaf
  model::UnitId unit;
  std::size_t granule;  ///< within the unit
};

/// The arithmetic of every reduction, whatever moves the bytes: gradients are added to one fp32
/// accumulator in the order of LeafGroups, so the bits do not depend on the number of ranks. Keeps
/// the first non-finite gradient it meets.
class LeafFold {
 public:
  explicit LeafFold(LeafGroups groups) : groups_{groups} {}
  [[nodiscard]] const LeafGroups& groups() const { return groups_; }

  /// The threads that share the elements from now on; null: the caller alone. `team` must outlive
  /// this.
  void set_team(Team* team) { team_ = team; }

  /// Forgets the last step.
  void begin_step();

  /// The next reduction of the step: the same on every rank.
  [[nodiscard]] Reduction begin(model::UnitId unit, const Wave& wave) {
    return {unit, wave, ++reductions_};
  }

  /// Where sums go.
  struct Target {
    std::span<float> accumulator;  ///< of the groups that are complete
    std::span<float> open;         ///< of a group that goes on in the next wave; empty: none does
    std::size_t first_granule;     ///< within the unit
  };
  /// Adds the wave's `sums`, which follow one another in leaf order, each of accumulator.size()
  /// elements.
  void add(const Reduction& reduction, std::span<const LeafSum> sums, const Target& target);

  /// out = the sum of `leaves`, each of one leaf, which belong to one group.
  void add_up(const Reduction& reduction, std::span<const LeafSum> leaves, std::span<float> out,
              std::size_t first_granule);

  [[nodiscard]] const std::optional<Offender>& offender() const { return offender_; }

 private:
  template <class Work>
  void by_pieces(const Reduction& reduction, std::span<const LeafSum> sums, std::size_t numel,
                 std::size_t first_granule, Work&& work);
  void find_offender(const Reduction& reduction, std::span<const LeafSum> sums, std::size_t at,
                     std::size_t numel, std::size_t first_granule);

  LeafGroups groups_;
  Team* team_ = nullptr;
  std::uint64_t reductions_ = 0;
  std::optional<Offender> offender_;
};

}  // namespace ballast::fsdp
