#pragma once

#include <cstddef>
#include <cstdint>

namespace ballast::data {

/// The order of training windows: in each epoch a permutation of all of them, each exactly once,
/// computed from (seed, epoch, index) without a table (a Feistel network over Philox, cycle-walked
/// into range; Black and Rogaway 2002). One global cursor counts the samples of the training, so a
/// window depends on its place in the training alone, not on ranks or restarts.
class Sampler {
 public:
  Sampler(std::uint64_t seed, std::size_t windows);

  /// The window that sample number `cursor` (counted from 0 over all epochs) trains on.
  [[nodiscard]] std::size_t window(std::uint64_t cursor) const;
  [[nodiscard]] std::uint64_t epoch(std::uint64_t cursor) const { return cursor / windows_; }

 private:
  std::uint64_t seed_;
  std::uint64_t windows_;
  int half_bits_;
};

}  // namespace ballast::data
