#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/team.hpp"
#include "kernels/adamw_update.hpp"
#include "optim/master_weights.hpp"

namespace ballast::optim {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
};

/// A run of local elements that are treated alike; `offset` counts within the spans of an update.
struct Group {
  std::size_t offset;
  std::size_t numel;
  bool decayed;
};

/// AdamW with decoupled weight decay (Loshchilov and Hutter 2019) over local spans. It knows
/// nothing of ranks: every element is updated by whoever owns it.
class AdamW {
 public:
  /// `team`, which may be null, shares out the elements and must outlive this.
  explicit AdamW(const AdamWConfig& config, Team* team = nullptr);

  /// Of equal sizes. What the model computes with is written in the same pass as the masters.
  struct Spans {
    std::span<const float> gradient;
    MasterSlice master;
    std::span<float> moment1;
    std::span<float> moment2;
    /// Written, if wanted: one for each granule of the others, by the group that it lies in. Groups
    /// then begin at whole granules.
    std::span<kernels::AdamWPartials> partials{};
  };

  /// Update number `t` (from 1) of the elements in `groups`; the others stay as they are.
  /// `gradient_factor` multiplies every gradient: loss normalization, clipping and unscaling in
  /// one. The bits of masters and moments do not depend on the type that the model computes in.
  void update(std::uint64_t t, double lr, double gradient_factor, std::span<const Group> groups,
              const Spans& spans) const;

 private:
  AdamWConfig config_;
  Team* team_;
};

}  // namespace ballast::optim
