#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/gemm/gemm.hpp"

namespace ballast::monitor {

/// Which residual streams form the pairs (x, y) of the blocks. `chained`: y of a block is x of the
/// next one, in the same coordinates; L + 1 streams. `paired`: each block has its own x and y (each
/// pair in a basis of its own), 2 L streams.
enum class Streams { chained, paired };

/// Where the second-order moments of a stack of blocks lie in one flat buffer of 64-bit integers.
///
/// A moment is kept in fixed point, so that sums over leaves and ranks are exact and come out the
/// same in any order, at any rank count (as in docs/adr/0004-exact-sums.md). Its scale follows from
/// an exponent per stream and coordinate, e with |x_i − shift_i| < 2^e for every sampled row: first
/// leaves contribute exponents, of which the job takes the largest, then moments, which the job
/// adds up element by element. Rounded once per leaf, to 2^(11 − 62) or better of
/// N·max|x_i|·max|x_j| for N = 2,048.
class MomentLayout {
 public:
  /// `dim` (m): coordinates of a stream; `max_samples`: rows that all leaves together may sample.
  MomentLayout(std::size_t blocks, std::size_t dim, Streams kind, std::size_t max_samples);

  [[nodiscard]] std::size_t blocks() const { return blocks_; }
  [[nodiscard]] std::size_t dim() const { return dim_; }
  [[nodiscard]] std::size_t max_samples() const { return max_samples_; }
  [[nodiscard]] std::size_t streams() const;
  [[nodiscard]] std::size_t stream_of_x(std::size_t block) const;
  [[nodiscard]] std::size_t stream_of_y(std::size_t block) const;

  /// Sizes of the two buffers that travel.
  [[nodiscard]] std::size_t exponents() const { return streams() * dim_; }
  [[nodiscard]] std::size_t words() const;

  /// Rows sampled: the one word before all others.
  [[nodiscard]] static constexpr std::size_t samples_at() { return 0; }
  /// Values of a stream that were no finite numbers.
  [[nodiscard]] std::size_t nonfinite_at(std::size_t stream) const { return 1 + stream; }
  /// Sums [m] of a stream.
  [[nodiscard]] std::size_t sums_at(std::size_t stream) const;
  /// Lower triangle, row by row, of a stream's Σ x x^T.
  [[nodiscard]] std::size_t square_at(std::size_t stream) const;
  /// A block's Σ y x^T [m, m].
  [[nodiscard]] std::size_t cross_at(std::size_t block) const;

  /// Binary digits of a moment's fixed point that are not taken up by the count of samples.
  [[nodiscard]] int fraction_bits() const { return fraction_bits_; }

 private:
  [[nodiscard]] std::size_t triangle() const { return dim_ * (dim_ + 1) / 2; }

  std::size_t blocks_;
  std::size_t dim_;
  Streams kind_;
  std::size_t max_samples_;
  int fraction_bits_;
};

/// What an exponent is before any leaf has raised it; fp32 needs none as small.
inline constexpr std::int32_t kLowestExponent = -160;

/// Rows [n, m] that a leaf sampled of one stream, and the shift [m] (the same on every rank, say
/// the mean of an earlier probe) that is taken off before anything is squared.
struct StreamRows {
  kernels::MatrixView<const float> rows;
  std::span<const float> shift;
};

/// Turns the rows of a leaf into its part of the job's moments. The part depends on the leaf's
/// rows, the shifts and the agreed exponents alone. All memory is reserved by the constructor.
class LeafMoments {
 public:
  explicit LeafMoments(const MomentLayout& layout);

  /// Raises `exponents` [streams, m] to what this leaf needs. One entry of `leaf` per stream, all
  /// of the same rows; a leaf may be empty.
  void raise_exponents(std::span<const StreamRows> leaf, std::span<std::int32_t> exponents) const;

  /// Adds the leaf to `words`. A stream with a value that is not finite adds to its count of those
  /// and nothing else. Throws an internal Error if `exponents` do not cover the leaf.
  void add(std::span<const StreamRows> leaf, std::span<const std::int32_t> exponents,
           std::span<std::int64_t> words);

 private:
  /// Of the rows of one stream: the chunk at hand in double [kChunkRows, m], Σ x and Σ x x^T.
  struct Side {
    explicit Side(std::size_t dim);
    std::vector<double> chunk, sums, square;
  };

  void check(std::span<const StreamRows> leaf, std::size_t exponents) const;
  /// Whether a stream's own moments are wanted, or only its chunk.
  enum class Own { no, yes };
  void accumulate(const StreamRows& rows, std::size_t first, Side& side, Own own) const;
  /// Adds a stream's own moments; whether they were finite.
  bool add_stream(const StreamRows& rows, std::size_t stream, const Side& side,
                  std::span<const std::int32_t> exponents, std::span<std::int64_t> words) const;
  void add_cross(std::size_t block, std::span<const std::int32_t> exponents,
                 std::span<std::int64_t> words) const;

  MomentLayout layout_;
  Side x_, y_;
  std::vector<double> cross_;  // [m, m]
};

/// Centered second-order moments of pairs (x, y) over N samples, x and y in R^m. Matrices [m, m]
/// are row-major.
struct PairMoments {
  explicit PairMoments(std::size_t dimension);

  std::size_t dim;
  std::int64_t samples = 0;            ///< N
  bool is_finite = true;               ///< no sample of x or y had a value that is not finite
  std::vector<double> mean_x, mean_y;  ///< [m], relative to the streams' shifts
  std::vector<double> s;               ///< cov(x, x), over N − 1
  std::vector<double> c;               ///< cov(y, x): c[i, j] = Σ y_i x_j / (N − 1)
  std::vector<double> t;               ///< cov(y, y)
};

/// The moments of one block, from the sums over all leaves of the job. With fewer than two samples,
/// or samples that were not finite, all moments are zero. Throws an internal Error if more rows
/// were sampled than the layout has room for.
void read_moments(const MomentLayout& layout, std::span<const std::int32_t> exponents,
                  std::span<const std::int64_t> words, std::size_t block, PairMoments& out);

}  // namespace ballast::monitor
