#include "data/sampler.hpp"

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "base/philox.hpp"

namespace ballast::data {

namespace {

/// Four rounds of a Feistel network with pseudorandom round functions make a strong pseudorandom
/// permutation (Luby and Rackoff 1988); small domains want some more.
constexpr std::uint32_t kRounds = 8;

std::uint64_t permute(std::uint64_t seed, std::uint32_t epoch, int half_bits, std::uint64_t value) {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits) - 1;
  std::uint64_t left = value >> half_bits;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const Philox::Block block = Philox{seed, RandomPurpose::shuffle, epoch, round}(right);
    const std::uint64_t mixed = left ^ (block[0] & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits | right;
}

}  // namespace

Sampler::Sampler(std::uint64_t seed, std::size_t windows)
    : seed_{seed}, windows_{windows}, half_bits_{1} {
  if (windows == 0) throw internal_error("a sampler needs at least one window");
  while (half_bits_ < 31 && (std::uint64_t{1} << (2 * half_bits_)) < windows_) ++half_bits_;
}

std::size_t Sampler::window(std::uint64_t cursor) const {
  const auto epoch_number = checked_cast<std::uint32_t>(epoch(cursor));
  std::uint64_t value = cursor % windows_;
  do {
    value = permute(seed_, epoch_number, half_bits_, value);
  } while (value >= windows_);
  return value;
}

}  // namespace ballast::data
