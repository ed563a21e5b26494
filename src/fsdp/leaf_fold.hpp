#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/team.hpp"
#include "kernels/gemm/gemm.hpp"
#include "model/parameters.hpp"

namespace ballast::fsdp {

/// One wave: ranks [0, contributors) each bring the gradient of one leaf, in leaf order; the others
/// bring nothing.
struct Wave {
  std::size_t contributors = 1;
  kernels::Store store = kernels::Store::overwrite;  ///< overwrite in the first wave of a step
  std::size_t first_leaf = 0;                        ///< the leaf of rank 0
};

/// Where a gradient was first found that is not finite.
struct Offender {
  std::uint64_t order;  ///< of its reduction within the step
  std::size_t leaf;
  std::size_t rank;  ///< that computed the leaf
  model::UnitId unit;
  std::size_t granule;  ///< within the unit
};

/// The arithmetic of every reduction, whatever moves the bytes: slices are added to one fp32
/// accumulator in leaf order, so the bits do not depend on the number of ranks. Keeps the first
/// non-finite slice it meets.
class LeafFold {
 public:
  /// The threads that share the elements from now on; null: the caller alone. `team` must outlive
  /// this.
  void set_team(Team* team) { team_ = team; }

  /// Forgets the last step.
  void begin_step();

  /// A reduction of `unit` starts: the same on every rank.
  void begin(model::UnitId unit);
  /// slices[i]: the gradient of the wave's leaf i over this rank's granules from `first_granule` of
  /// the unit on, accumulator.size() elements.
  void add(const Wave& wave, std::span<const float* const> slices, std::size_t first_granule,
           std::span<float> accumulator);

  [[nodiscard]] const std::optional<Offender>& offender() const { return offender_; }

 private:
  void find_offender(const Wave& wave, std::span<const float* const> slices, std::size_t at,
                     std::size_t numel, std::size_t first_granule);

  model::UnitId unit_ = 0;
  Team* team_ = nullptr;
  std::uint64_t reductions_ = 0;
  std::optional<Offender> offender_;
};

}  // namespace ballast::fsdp
