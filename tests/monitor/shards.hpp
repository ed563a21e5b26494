#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "monitor/spectral/moments.hpp"

namespace ballast::monitor::test {

/// Sampled rows [n, m] in fp32 of every stream, as one job has them, with the streams' shifts [m].
struct Sampled {
  std::size_t rows;
  std::size_t dim;
  std::vector<std::vector<float>> streams;
  std::vector<std::vector<float>> shifts;

  /// Rows [first, first + count) of every stream.
  [[nodiscard]] std::vector<StreamRows> leaf(std::size_t first, std::size_t count) const {
    std::vector<StreamRows> views;
    for (std::size_t s = 0; s < streams.size(); ++s) {
      views.push_back({{streams[s].data() + first * dim, count, dim, dim}, shifts[s]});
    }
    return views;
  }
};

/// What a job ends with.
struct Totals {
  std::vector<std::int32_t> exponents;
  std::vector<std::int64_t> words;
};

/// The job's totals, where buffer (rank) b holds the leaves `leaves_of[b]`, each a first row and a
/// count.
struct Leaf {
  std::size_t first;
  std::size_t count;
};
inline Totals sum_over_buffers(const MomentLayout& layout, const Sampled& sampled,
                               const std::vector<std::vector<Leaf>>& leaves_of) {
  LeafMoments leaf_moments{layout};
  Totals totals{std::vector<std::int32_t>(layout.exponents(), kLowestExponent),
                std::vector<std::int64_t>(layout.words())};
  for (const auto& leaves : leaves_of) {
    std::vector<std::int32_t> own(layout.exponents(), kLowestExponent);
    for (const auto& [first, count] : leaves) {
      leaf_moments.raise_exponents(sampled.leaf(first, count), own);
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      totals.exponents[i] = std::max(totals.exponents[i], own[i]);
    }
  }
  for (const auto& leaves : leaves_of) {
    std::vector<std::int64_t> own(layout.words());
    for (const auto& [first, count] : leaves) {
      leaf_moments.add(sampled.leaf(first, count), totals.exponents, own);
    }
    for (std::size_t i = 0; i < own.size(); ++i) totals.words[i] += own[i];
  }
  return totals;
}

inline Totals sum_of_one_leaf(const MomentLayout& layout, const Sampled& sampled) {
  return sum_over_buffers(layout, sampled, {{{0, sampled.rows}}});
}

inline PairMoments moments_from(const MomentLayout& layout, const Totals& totals,
                                std::size_t block) {
  PairMoments moments{layout.dim()};
  read_moments(layout, totals.exponents, totals.words, block, moments);
  return moments;
}

}  // namespace ballast::monitor::test
