#pragma once

#include <cstdint>

#include "monitor/monitor.hpp"

namespace ballast::monitor {

/// Bytes that a Monitor of these options has for itself on one rank, for plans that are made before
/// there is one: its sampled rows, what they are projected to, sums, bases and the solver's
/// matrices. Small vectors are left out.
[[nodiscard]] std::uint64_t footprint(const MonitorOptions& options);

}  // namespace ballast::monitor
