#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/profile.hpp"
#include "train/measure/span_names.hpp"

namespace ballast::train {

/// The rank whose spans a trace shows, and the time from which it counts.
struct TraceOrigin {
  int rank = 0;
  std::string host;
  std::int64_t start_ns = 0;  ///< the same moment on every rank
};

/// Spans in the trace event format that Perfetto and chrome://tracing read: a process a rank, one
/// track, complete events ("ph": "X") in microseconds.
[[nodiscard]] std::string to_trace(std::span<const ProfileEvent> events, const SpanNames& names,
                                   const TraceOrigin& origin);

}  // namespace ballast::train
