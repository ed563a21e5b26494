#include "monitor/spectral/moments.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "monitor/spectral/lapack.hpp"
#include "monitor/spectral/moments_fixed_point.hpp"

namespace ballast::monitor {

namespace {

using fixed_point::chunk_of;
using fixed_point::kChunkRows;

lapack::Store store_for(std::size_t first) {
  return first == 0 ? lapack::Store::overwrite : lapack::Store::add;
}

}  // namespace

MomentLayout::MomentLayout(std::size_t blocks, std::size_t dim, Streams kind,
                           std::size_t max_samples)
    : blocks_{blocks}, dim_{dim}, kind_{kind}, max_samples_{max_samples} {
  if (blocks == 0 || dim == 0 || max_samples == 0) {
    throw internal_error("moments need blocks, dimensions and samples; there are {}, {} and {}",
                         blocks, dim, max_samples);
  }
  fraction_bits_ = fixed_point::bits_for(max_samples);
}

std::size_t MomentLayout::streams() const {
  return kind_ == Streams::chained ? blocks_ + 1 : 2 * blocks_;
}

std::size_t MomentLayout::stream_of_x(std::size_t block) const {
  return kind_ == Streams::chained ? block : 2 * block;
}

std::size_t MomentLayout::stream_of_y(std::size_t block) const { return stream_of_x(block) + 1; }

std::size_t MomentLayout::words() const { return cross_at(blocks_); }

std::size_t MomentLayout::sums_at(std::size_t stream) const {
  return nonfinite_at(streams()) + stream * dim_;
}

std::size_t MomentLayout::square_at(std::size_t stream) const {
  return sums_at(streams()) + stream * triangle();
}

std::size_t MomentLayout::cross_at(std::size_t block) const {
  return square_at(streams()) + block * dim_ * dim_;
}

LeafMoments::Side::Side(std::size_t dim) : chunk(kChunkRows * dim), sums(dim), square(dim * dim) {}

LeafMoments::LeafMoments(const MomentLayout& layout)
    : layout_{layout}, x_{layout.dim()}, y_{layout.dim()}, cross_(layout.dim() * layout.dim()) {
  lapack::use_one_thread();
}

void LeafMoments::check(std::span<const StreamRows> leaf, std::size_t exponents) const {
  bool fits = leaf.size() == layout_.streams() && exponents == layout_.exponents();
  for (const auto& [rows, shift] : leaf) {
    fits = fits && rows.cols == layout_.dim() && shift.size() == layout_.dim() &&
           rows.rows == leaf[0].rows.rows;
  }
  if (!fits) throw internal_error("the rows of a leaf do not fit the layout of the moments");
}

void LeafMoments::raise_exponents(std::span<const StreamRows> leaf,
                                  std::span<std::int32_t> exponents) const {
  check(leaf, exponents.size());
  for (std::size_t stream = 0; stream < leaf.size(); ++stream) {
    fixed_point::raise_exponents(leaf[stream].rows, leaf[stream].shift,
                                 exponents.subspan(stream * layout_.dim(), layout_.dim()));
  }
}

void LeafMoments::add(std::span<const StreamRows> leaf, std::span<const std::int32_t> exponents,
                      std::span<std::int64_t> words) {
  check(leaf, exponents.size());
  if (words.size() != layout_.words()) throw internal_error("the words do not fit the layout");
  const std::size_t dim = layout_.dim();
  const std::size_t count = leaf[0].rows.rows;
  if (count == 0) return;
  if (count > layout_.max_samples()) throw internal_error("a leaf has too many samples");
  words[MomentLayout::samples_at()] += static_cast<std::int64_t>(count);
  bool x_is_finite = true;
  bool y_is_finite = true;
  for (std::size_t block = 0; block < layout_.blocks(); ++block) {
    const std::size_t x = layout_.stream_of_x(block);
    const std::size_t y = layout_.stream_of_y(block);
    // In a chain, x of this block was y of the one before and has been added.
    const bool x_is_new = block == 0 || x != layout_.stream_of_y(block - 1);
    for (std::size_t first = 0; first < count; first += kChunkRows) {
      accumulate(leaf[x], first, x_, x_is_new ? Own::yes : Own::no);
      accumulate(leaf[y], first, y_, Own::yes);
      // Rows are columns to LAPACK: column i of Σ x y^T is row i of Σ y x^T.
      lapack::multiply({dim, dim, std::min(kChunkRows, count - first)}, {x_.chunk, dim},
                       {y_.chunk, dim, lapack::Op::transposed}, cross_, store_for(first));
    }
    x_is_finite = x_is_new ? add_stream(leaf[x], x, x_, exponents, words) : y_is_finite;
    y_is_finite = add_stream(leaf[y], y, y_, exponents, words);
    if (x_is_finite && y_is_finite) add_cross(block, exponents, words);
  }
}

void LeafMoments::accumulate(const StreamRows& rows, std::size_t first, Side& side, Own own) const {
  const auto chunk = chunk_of(rows.rows, first);
  fixed_point::widen(chunk, rows.shift, side.chunk);
  if (own == Own::no) return;
  if (first == 0) std::fill(side.sums.begin(), side.sums.end(), 0.0);
  fixed_point::add_rows(side.chunk, chunk.rows, side.sums);
  lapack::multiply_by_own_transpose(layout_.dim(), chunk.rows, side.chunk, side.square,
                                    store_for(first));
}

bool LeafMoments::add_stream(const StreamRows& rows, std::size_t stream, const Side& side,
                             std::span<const std::int32_t> exponents,
                             std::span<std::int64_t> words) const {
  // Sums of single-precision values leave the range of doubles for no other reason.
  const bool is_finite = std::all_of(side.sums.begin(), side.sums.end(),
                                     [](double sum) { return std::isfinite(sum); });
  if (!is_finite) {
    words[layout_.nonfinite_at(stream)] +=
        static_cast<std::int64_t>(fixed_point::count_nonfinite(rows.rows, rows.shift));
    return false;
  }
  const std::size_t dim = layout_.dim();
  const auto own = exponents.subspan(stream * dim, dim);
  const int bits = layout_.fraction_bits();
  fixed_point::add(side.sums, 0, own, bits, words.subspan(layout_.sums_at(stream), dim));
  // The upper triangle by columns is the lower one by rows.
  auto triangle = words.subspan(layout_.square_at(stream));
  for (std::size_t i = 0; i < dim; ++i) {
    fixed_point::add(std::span{side.square}.subspan(i * dim, i + 1), own[i], own, bits,
                     triangle.first(i + 1));
    triangle = triangle.subspan(i + 1);
  }
  return true;
}

void LeafMoments::add_cross(std::size_t block, std::span<const std::int32_t> exponents,
                            std::span<std::int64_t> words) const {
  const std::size_t dim = layout_.dim();
  const auto x = exponents.subspan(layout_.stream_of_x(block) * dim, dim);
  const auto y = exponents.subspan(layout_.stream_of_y(block) * dim, dim);
  for (std::size_t i = 0; i < dim; ++i) {
    fixed_point::add(std::span{cross_}.subspan(i * dim, dim), y[i], x, layout_.fraction_bits(),
                     words.subspan(layout_.cross_at(block) + i * dim, dim));
  }
}

PairMoments::PairMoments(std::size_t dimension)
    : dim{dimension},
      mean_x(dimension),
      mean_y(dimension),
      s(dimension * dimension),
      c(dimension * dimension),
      t(dimension * dimension) {}

namespace {

/// One block's part of the words, turned into centered moments.
class Reader {
 public:
  Reader(const MomentLayout& layout, std::span<const std::int32_t> exponents,
         std::span<const std::int64_t> words)
      : layout_{layout}, dim_{layout.dim()}, exponents_{exponents}, words_{words} {}

  void mean(std::size_t stream, double samples, std::span<double> out) const {
    read(layout_.sums_at(stream), 0, exponents_of(stream), out);
    for (double& value : out) value /= samples;
  }

  void covariance(std::size_t stream, double samples, std::span<const double> mean,
                  std::span<double> out) const {
    const auto own = exponents_of(stream);
    std::size_t at = layout_.square_at(stream);
    for (std::size_t i = 0; i < dim_; at += ++i) {
      const auto row = out.subspan(i * dim_, i + 1);
      read(at, own[i], own.first(i + 1), row);
      center(row, mean[i], mean, samples);
      for (std::size_t j = 0; j < i; ++j) out[j * dim_ + i] = row[j];
    }
  }

  void cross_covariance(std::size_t block, double samples, PairMoments& out) const {
    const auto x = exponents_of(layout_.stream_of_x(block));
    const auto y = exponents_of(layout_.stream_of_y(block));
    for (std::size_t i = 0; i < dim_; ++i) {
      const auto row = std::span{out.c}.subspan(i * dim_, dim_);
      read(layout_.cross_at(block) + i * dim_, y[i], x, row);
      center(row, out.mean_y[i], out.mean_x, samples);
    }
  }

 private:
  [[nodiscard]] std::span<const std::int32_t> exponents_of(std::size_t stream) const {
    return exponents_.subspan(stream * dim_, dim_);
  }

  void read(std::size_t at, std::int32_t row_exponent, std::span<const std::int32_t> exponents,
            std::span<double> out) const {
    fixed_point::read(words_.subspan(at, out.size()), row_exponent, exponents,
                      layout_.fraction_bits(), out);
  }

  static void center(std::span<double> row, double row_mean, std::span<const double> mean,
                     double samples) {
    for (std::size_t j = 0; j < row.size(); ++j) {
      row[j] = (row[j] - samples * row_mean * mean[j]) / (samples - 1.0);
    }
  }

  const MomentLayout& layout_;
  std::size_t dim_;
  std::span<const std::int32_t> exponents_;
  std::span<const std::int64_t> words_;
};

}  // namespace

void read_moments(const MomentLayout& layout, std::span<const std::int32_t> exponents,
                  std::span<const std::int64_t> words, std::size_t block, PairMoments& out) {
  if (out.dim != layout.dim() || exponents.size() != layout.exponents() ||
      words.size() != layout.words() || block >= layout.blocks()) {
    throw internal_error("the moments asked for do not fit their layout");
  }
  const std::size_t x = layout.stream_of_x(block);
  const std::size_t y = layout.stream_of_y(block);
  out.samples = words[MomentLayout::samples_at()];
  out.is_finite = words[layout.nonfinite_at(x)] == 0 && words[layout.nonfinite_at(y)] == 0;
  if (static_cast<std::size_t>(out.samples) > layout.max_samples()) {
    throw internal_error("{} rows were sampled where {} were planned", out.samples,
                         layout.max_samples());
  }
  if (out.samples < 2 || !out.is_finite) {
    for (auto* part : {&out.mean_x, &out.mean_y, &out.s, &out.c, &out.t}) {
      std::fill(part->begin(), part->end(), 0.0);
    }
    return;
  }
  const auto samples = static_cast<double>(out.samples);
  const Reader reader{layout, exponents, words};
  reader.mean(x, samples, out.mean_x);
  reader.mean(y, samples, out.mean_y);
  reader.covariance(x, samples, out.mean_x, out.s);
  reader.covariance(y, samples, out.mean_y, out.t);
  reader.cross_covariance(block, samples, out);
}

}  // namespace ballast::monitor
