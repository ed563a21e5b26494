#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/profile.hpp"
#include "train/measure/ceilings.hpp"
#include "train/measure/span_names.hpp"

namespace ballast::train {

/// One kernel, wait or transfer over all profiled steps; for a phase, the time outside of its inner
/// spans.
struct ProfileRow {
  std::string name;
  std::string shape;  ///< of a product
  std::uint64_t calls = 0;
  double seconds = 0.0;
  Work work;
  double share = 0.0;    ///< of the steps' time; 0 outside of steps
  double rate = 0.0;     ///< FLOP/s where there is arithmetic, otherwise bytes/s; 0: neither
  double ceiling = 0.0;  ///< of that rate; 0: none is known
};

struct ProfileTable {
  std::size_t steps = 0;
  double step_s = 0.0;             ///< mean
  std::vector<ProfileRow> rows;    ///< within steps, longest first; their shares add up to 1
  std::vector<ProfileRow> beside;  ///< between steps: evaluations and checkpoints
};

/// Adds up the spans of Profile::last_steps. A kernel that is no product is compared with the
/// product ceiling of `compute` if it counts arithmetic, and with the memory ceiling otherwise.
[[nodiscard]] ProfileTable make_profile_table(std::span<const ProfileEvent> events,
                                              const SpanNames& names, const Ceilings& ceilings,
                                              ElementType compute);

/// For people: a heading and a line a row.
[[nodiscard]] std::string to_text(const ProfileTable& table);

}  // namespace ballast::train
