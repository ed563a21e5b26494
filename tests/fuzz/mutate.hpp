#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace ballast::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// Alters inputs as a careless or hostile writer would: the same ones for the same seed.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_{seed} {}

  /// One of `corpus`, altered in one to four places. No longer than twice the longest, and 64 KiB.
  [[nodiscard]] Bytes next(std::span<const Bytes> corpus);

 private:
  [[nodiscard]] std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  /// Where formats keep what they say of themselves: more often near the ends than elsewhere.
  [[nodiscard]] std::size_t place(const Bytes& input);
  void alter(Bytes& input, std::span<const Bytes> corpus);
  void overwrite(Bytes& input, std::size_t at, std::uint64_t value, std::size_t size);
  void repeat(Bytes& input, std::size_t at);
  void splice(Bytes& input, std::size_t at, const Bytes& other);

  std::mt19937_64 random_;
};

}  // namespace ballast::fuzz
