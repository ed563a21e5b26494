#pragma once

#include <cstdint>

#include "base/words.hpp"

namespace ballast::optim {

enum class ScheduleKind { cosine, linear, constant, wsd };

constexpr auto words_of(EnumTag<ScheduleKind>) {
  return std::to_array<Word<ScheduleKind>>({{ScheduleKind::cosine, "cosine"},
                                            {ScheduleKind::linear, "linear"},
                                            {ScheduleKind::constant, "constant"},
                                            {ScheduleKind::wsd, "wsd"}});
}

/// A learning rate over the steps of a training. Steps count from 1.
struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double peak_lr = 3e-4;
  double min_lr = 0.0;          ///< where cosine, linear and the decay of wsd end
  std::uint64_t warmup = 0;     ///< steps of linear warm-up; may exceed `steps`
  std::uint64_t steps = 1;      ///< the length of the whole schedule
  double decay_fraction = 0.2;  ///< wsd: the last part of `steps`, in which the rate falls linearly

  [[nodiscard]] double lr(std::uint64_t step) const;
};

}  // namespace ballast::optim
