#pragma once

#include <cstdint>

/// APPLY(T) for each type of elements that files hold: what templates of readers and writers are
/// instantiated for.
#define BALLAST_H5_EACH_ELEMENT(APPLY) \
  APPLY(std::uint8_t)                  \
  APPLY(std::uint16_t)                 \
  APPLY(std::uint32_t)                 \
  APPLY(std::uint64_t)                 \
  APPLY(std::int32_t)                  \
  APPLY(std::int64_t)                  \
  APPLY(float)                         \
  APPLY(double)
