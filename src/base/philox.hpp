#pragma once

#include <array>
#include <cstdint>

namespace ballast {

/// The purpose of a random number: draws for different purposes never coincide.
enum class RandomPurpose : std::uint32_t {
  init = 1,
  shuffle = 2,
  sample = 3,
  probe = 4,
  basis = 5,
  shaping = 6
};

/// A counter-based random stream (Philox4x32-10; Salmon et al. 2011, "Parallel
/// random numbers: as easy as 1, 2, 3"). A draw depends on its key alone (seed,
/// purpose, stream, step, element), never on which rank asks or in what order.
class Philox {
 public:
  using Block = std::array<std::uint32_t, 4>;

  /// `stream` is the number of a tensor or epoch, `step` that of a training step.
  constexpr Philox(std::uint64_t seed, RandomPurpose purpose, std::uint32_t stream,
                   std::uint32_t step)
      : key_{static_cast<std::uint32_t>(seed),
             static_cast<std::uint32_t>(seed >> 32) ^
                 (static_cast<std::uint32_t>(purpose) * 0x9E3779B9u)},
        stream_{stream},
        step_{step} {}

  /// Four independent uniform words for counter `index`.
  [[nodiscard]] constexpr Block operator()(std::uint64_t index) const {
    Block counter{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                  stream_, step_};
    std::array<std::uint32_t, 2> key = key_;
    for (int round = 0; round < 10; ++round) {
      counter = mix(counter, key);
      key[0] += 0x9E3779B9u;
      key[1] += 0xBB67AE85u;
    }
    return counter;
  }

 private:
  static constexpr Block mix(const Block& c, const std::array<std::uint32_t, 2>& key) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * c[2];
    return {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(b),
            static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(a)};
  }

  std::array<std::uint32_t, 2> key_;
  std::uint32_t stream_;
  std::uint32_t step_;
};

/// A word as a double in (0, 1): never 0, so its logarithm is finite.
[[nodiscard]] constexpr double open_unit(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * (1.0 / 4294967296.0);
}

}  // namespace ballast
