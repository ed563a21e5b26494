#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ballast::monitor {

/// Chooses the tokens whose residual states a probe keeps, from what every rank knows alike.
class TokenSample {
 public:
  /// At most `tokens` of a micro-batch, which has up to `capacity`.
  TokenSample(std::uint64_t seed, std::size_t tokens, std::size_t capacity);

  /// Of micro-batch `number` (over the whole job) of `step`: one token from each of equal strata,
  /// where within its stratum being random. A sequence's first token (position 0) is left out,
  /// since attention parks what it has no use for there, and so are tokens without a label
  /// (`labels` < 0). Indices into the micro-batch, ascending; valid until the next call.
  [[nodiscard]] std::span<const std::uint32_t> choose(std::uint64_t step, std::uint64_t number,
                                                      std::span<const std::int32_t> positions,
                                                      std::span<const std::int32_t> labels);

 private:
  std::uint64_t seed_;
  std::size_t tokens_;
  std::vector<std::uint32_t> candidates_;
  std::vector<std::uint32_t> chosen_;
};

}  // namespace ballast::monitor
