#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "monitor/spectral/moments.hpp"

namespace ballast::monitor {

/// Where the sketches Σ x p^T of several layers' streams lie in one flat buffer of integers: x in
/// R^d are a stream's rows, p = Q^T x in R^m its projections on the layer's basis. Fixed point and
/// exponents are as in MomentLayout: no d × d matrix is ever formed or sent.
class SketchLayout {
 public:
  SketchLayout(std::size_t layers, std::size_t dim, std::size_t rank, std::size_t max_samples);

  [[nodiscard]] std::size_t layers() const { return layers_; }
  [[nodiscard]] std::size_t dim() const { return dim_; }
  [[nodiscard]] std::size_t rank() const { return rank_; }
  [[nodiscard]] std::size_t max_samples() const { return max_samples_; }
  [[nodiscard]] int fraction_bits() const { return fraction_bits_; }

  /// Sizes of the two buffers that travel, a layer's part of them, and its first element.
  [[nodiscard]] std::size_t exponents() const { return layers_ * exponents_of_layer(); }
  [[nodiscard]] std::size_t words() const { return layers_ * words_of_layer(); }
  [[nodiscard]] std::size_t exponents_of_layer() const { return dim_ + rank_; }
  [[nodiscard]] std::size_t words_of_layer() const { return product_at() + dim_ * rank_; }

  /// Within a layer's words: rows sampled, those of them not finite, sums of x and of p, the sum of
  /// squares of each coordinate of x, and Σ x p^T [d, m] by columns of p.
  [[nodiscard]] static constexpr std::size_t samples_at() { return 0; }
  [[nodiscard]] static constexpr std::size_t nonfinite_at() { return 1; }
  [[nodiscard]] static constexpr std::size_t sums_at() { return 2; }
  [[nodiscard]] std::size_t squares_at() const { return sums_at() + dim_ + rank_; }
  [[nodiscard]] std::size_t product_at() const { return squares_at() + dim_; }

 private:
  std::size_t layers_;
  std::size_t dim_;
  std::size_t rank_;
  std::size_t max_samples_;
  int fraction_bits_;
};

/// Turns the rows of a leaf into its part of the job's sketches, layer by layer.
class LeafSketch {
 public:
  explicit LeafSketch(const SketchLayout& layout);

  /// `x` [n, d] with its shift, `projected` [n, m] dense, as Projector gives them. Raises the
  /// layer's part of `exponents` (of the whole layout) to what this leaf needs.
  void raise_exponents(std::size_t layer, const StreamRows& x, std::span<const float> projected,
                       std::span<std::int32_t> exponents) const;

  /// Adds to the layer's part of `words`; rows that are not finite are counted and nothing else.
  /// Throws an internal Error if `exponents` do not cover the leaf.
  void add(std::size_t layer, const StreamRows& x, std::span<const float> projected,
           std::span<const std::int32_t> exponents, std::span<std::int64_t> words);

 private:
  [[nodiscard]] StreamRows rows_of(std::span<const float> projected, std::size_t count) const;
  void accumulate(const StreamRows& x, const StreamRows& p);
  void add_to(std::span<std::int64_t> words, std::span<const std::int32_t> exponents) const;

  SketchLayout layout_;
  std::vector<float> no_shift_;  // [m]
  std::vector<double> x_, p_;    // [kChunkRows, d], [kChunkRows, m]
  std::vector<double> product_;  // [d, m]
  std::vector<double> sums_;     // [d + m]
  std::vector<double> squares_;  // [d]
};

/// A layer's centered sketch, over N − 1.
struct Sketch {
  Sketch(std::size_t dim, std::size_t rank) : z(dim * rank), mean(dim), mean_projected(rank) {}

  std::int64_t samples = 0;
  bool is_finite = true;
  double variance = 0.0;               ///< of all d coordinates together: tr cov(x, x)
  std::vector<double> z;               ///< [d, m] column-major: cov(x, x) Q
  std::vector<double> mean;            ///< [d] of x, relative to its shift
  std::vector<double> mean_projected;  ///< [m]
};

/// From the sums over all leaves of the job. With fewer than two samples, or samples that were not
/// finite, everything is zero. Throws an internal Error on more samples than were planned.
void read_sketch(const SketchLayout& layout, std::span<const std::int32_t> exponents,
                 std::span<const std::int64_t> words, std::size_t layer, Sketch& out);

}  // namespace ballast::monitor
