#include "monitor/probe/token_sample.hpp"

#include <algorithm>

#include "base/checked_cast.hpp"
#include "base/philox.hpp"

namespace ballast::monitor {

TokenSample::TokenSample(std::uint64_t seed, std::size_t tokens, std::size_t capacity)
    : seed_{seed}, tokens_{tokens} {
  candidates_.reserve(capacity);
  chosen_.reserve(std::min(tokens, capacity));
}

std::span<const std::uint32_t> TokenSample::choose(std::uint64_t step, std::uint64_t number,
                                                   std::span<const std::int32_t> positions,
                                                   std::span<const std::int32_t> labels) {
  candidates_.clear();
  chosen_.clear();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] != 0 && labels[i] >= 0) candidates_.push_back(static_cast<std::uint32_t>(i));
  }
  const std::size_t count = std::min(tokens_, candidates_.size());
  const Philox random{seed_, RandomPurpose::probe, static_cast<std::uint32_t>(number),
                      static_cast<std::uint32_t>(step)};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t first = i * candidates_.size() / count;
    const std::size_t end = (i + 1) * candidates_.size() / count;
    const std::uint64_t offset = (std::uint64_t{random(i)[0]} * (end - first)) >> 32;
    chosen_.push_back(candidates_[first + offset]);
  }
  return chosen_;
}

}  // namespace ballast::monitor
