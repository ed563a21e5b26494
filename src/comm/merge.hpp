#pragma once

#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <span>

#include "base/exact_sum.hpp"
#include "comm/communicator.hpp"

namespace ballast::comm {

/// Something that ranks add up: an exact sum, a count, or a contiguous range of either. Both are
/// runs of integers. Borrowed, and overwritten with what all ranks have together.
class Summand {
 public:
  Summand(ExactSum& sum) : words_{sum.limbs()} {}
  Summand(std::span<ExactSum> sums) : words_{ExactSum::limbs_of(sums)} {}
  Summand(std::int64_t& count) : words_{&count, 1} {}
  Summand(std::span<std::int64_t> counts) : words_{counts} {}
  template <std::ranges::contiguous_range Range>
  Summand(Range& range) : Summand{std::span{range}} {}

  [[nodiscard]] std::span<std::int64_t> words() const { return words_; }

 private:
  std::span<std::int64_t> words_;
};

/// Adds up all of `parts` over the ranks of `world`, in place, in one exchange of integers: the
/// same values on every rank, whatever the order and the number of ranks. Every rank names the same
/// parts, of the same sizes, in the same order. Collective. An internal Error where a sum exceeds
/// 64 bits.
void merge(Communicator& world, std::initializer_list<Summand> parts, Place place);

}  // namespace ballast::comm
