#include "monitor/spectral/projection_sketch.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "monitor/spectral/lapack.hpp"
#include "monitor/spectral/moments_fixed_point.hpp"

namespace ballast::monitor {

namespace {

using fixed_point::chunk_of;
using fixed_point::kChunkRows;

}  // namespace

SketchLayout::SketchLayout(std::size_t layers, std::size_t dim, std::size_t rank,
                           std::size_t max_samples)
    : layers_{layers}, dim_{dim}, rank_{rank}, max_samples_{max_samples} {
  if (layers == 0 || rank == 0 || rank > dim || max_samples == 0) {
    throw internal_error("no sketch of {} layers from {} to {} dimensions with {} samples", layers,
                         dim, rank, max_samples);
  }
  fraction_bits_ = fixed_point::bits_for(max_samples);
}

LeafSketch::LeafSketch(const SketchLayout& layout)
    : layout_{layout},
      no_shift_(layout.rank()),
      x_(kChunkRows * layout.dim()),
      p_(kChunkRows * layout.rank()),
      product_(layout.dim() * layout.rank()),
      sums_(layout.dim() + layout.rank()),
      squares_(layout.dim()) {
  lapack::use_one_thread();
}

StreamRows LeafSketch::rows_of(std::span<const float> projected, std::size_t count) const {
  if (projected.size() != count * layout_.rank()) {
    throw internal_error("projections of {} rows do not fit the layout of the sketch", count);
  }
  return {kernels::matrix(projected.data(), count, layout_.rank()), no_shift_};
}

void LeafSketch::raise_exponents(std::size_t layer, const StreamRows& x,
                                 std::span<const float> projected,
                                 std::span<std::int32_t> exponents) const {
  const StreamRows p = rows_of(projected, x.rows.rows);
  const auto own = exponents.subspan(layer * layout_.exponents_of_layer());
  fixed_point::raise_exponents(x.rows, x.shift, own.first(layout_.dim()));
  fixed_point::raise_exponents(p.rows, p.shift, own.subspan(layout_.dim(), layout_.rank()));
}

void LeafSketch::add(std::size_t layer, const StreamRows& x, std::span<const float> projected,
                     std::span<const std::int32_t> exponents, std::span<std::int64_t> words) {
  const std::size_t count = x.rows.rows;
  const StreamRows p = rows_of(projected, count);
  if (x.rows.cols != layout_.dim() || x.shift.size() != layout_.dim() ||
      exponents.size() != layout_.exponents() || words.size() != layout_.words() ||
      layer >= layout_.layers() || count > layout_.max_samples()) {
    throw internal_error("the rows of a leaf do not fit the layout of the sketch");
  }
  if (count == 0) return;
  accumulate(x, p);
  const auto own = words.subspan(layer * layout_.words_of_layer(), layout_.words_of_layer());
  own[SketchLayout::samples_at()] += static_cast<std::int64_t>(count);
  // Sums of single-precision values leave the range of doubles for no other reason.
  if (std::all_of(sums_.begin(), sums_.end(), [](double sum) { return std::isfinite(sum); })) {
    add_to(own,
           exponents.subspan(layer * layout_.exponents_of_layer(), layout_.exponents_of_layer()));
  } else {
    own[SketchLayout::nonfinite_at()] +=
        static_cast<std::int64_t>(fixed_point::count_nonfinite(x.rows, x.shift) +
                                  fixed_point::count_nonfinite(p.rows, p.shift));
  }
}

void LeafSketch::accumulate(const StreamRows& x, const StreamRows& p) {
  const std::size_t dim = layout_.dim();
  const std::size_t rank = layout_.rank();
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(squares_.begin(), squares_.end(), 0.0);
  for (std::size_t first = 0; first < x.rows.rows; first += kChunkRows) {
    const auto chunk = chunk_of(x.rows, first);
    fixed_point::widen(chunk, x.shift, x_);
    fixed_point::widen(chunk_of(p.rows, first), p.shift, p_);
    fixed_point::add_rows(x_, chunk.rows, std::span{sums_}.first(dim));
    fixed_point::add_rows(p_, chunk.rows, std::span{sums_}.subspan(dim));
    fixed_point::add_squares_of_rows(x_, chunk.rows, squares_);
    lapack::multiply({dim, rank, chunk.rows}, {x_, dim}, {p_, rank, lapack::Op::transposed},
                     product_, first == 0 ? lapack::Store::overwrite : lapack::Store::add);
  }
}

void LeafSketch::add_to(std::span<std::int64_t> words,
                        std::span<const std::int32_t> exponents) const {
  const std::size_t dim = layout_.dim();
  const int bits = layout_.fraction_bits();
  fixed_point::add(sums_, 0, exponents, bits, words.subspan(SketchLayout::sums_at(), sums_.size()));
  for (std::size_t j = 0; j < dim; ++j) {
    fixed_point::add(std::span{squares_}.subspan(j, 1), exponents[j], exponents.subspan(j, 1), bits,
                     words.subspan(layout_.squares_at() + j, 1));
  }
  for (std::size_t j = 0; j < layout_.rank(); ++j) {
    fixed_point::add(std::span{product_}.subspan(j * dim, dim), exponents[dim + j],
                     exponents.first(dim), bits,
                     words.subspan(layout_.product_at() + j * dim, dim));
  }
}

void read_sketch(const SketchLayout& layout, std::span<const std::int32_t> exponents,
                 std::span<const std::int64_t> words, std::size_t layer, Sketch& out) {
  const std::size_t dim = layout.dim();
  const std::size_t rank = layout.rank();
  if (exponents.size() != layout.exponents() || words.size() != layout.words() ||
      layer >= layout.layers() || out.z.size() != dim * rank || out.mean.size() != dim) {
    throw internal_error("the sketch asked for does not fit its layout");
  }
  const auto own = words.subspan(layer * layout.words_of_layer(), layout.words_of_layer());
  const auto scale =
      exponents.subspan(layer * layout.exponents_of_layer(), layout.exponents_of_layer());
  out.samples = own[SketchLayout::samples_at()];
  out.is_finite = own[SketchLayout::nonfinite_at()] == 0;
  out.variance = 0.0;
  if (static_cast<std::size_t>(out.samples) > layout.max_samples()) {
    throw internal_error("{} rows were sampled where {} were planned", out.samples,
                         layout.max_samples());
  }
  if (out.samples < 2 || !out.is_finite) {
    for (auto* part : {&out.z, &out.mean, &out.mean_projected}) {
      std::fill(part->begin(), part->end(), 0.0);
    }
    return;
  }
  const auto samples = static_cast<double>(out.samples);
  const auto read = [&](std::size_t at, std::int32_t row, std::span<const std::int32_t> columns,
                        std::span<double> to) {
    fixed_point::read(own.subspan(at, to.size()), row, columns, layout.fraction_bits(), to);
  };
  read(SketchLayout::sums_at(), 0, scale.first(dim), out.mean);
  read(SketchLayout::sums_at() + dim, 0, scale.subspan(dim), out.mean_projected);
  for (auto* mean : {&out.mean, &out.mean_projected}) {
    for (double& value : *mean) value /= samples;
  }
  for (std::size_t j = 0; j < dim; ++j) {
    double square = 0.0;
    read(layout.squares_at() + j, scale[j], scale.subspan(j, 1), {&square, 1});
    out.variance += (square - samples * out.mean[j] * out.mean[j]) / (samples - 1.0);
  }
  for (std::size_t j = 0; j < rank; ++j) {
    const auto column = std::span{out.z}.subspan(j * dim, dim);
    read(layout.product_at() + j * dim, scale[dim + j], scale.first(dim), column);
    for (std::size_t i = 0; i < dim; ++i) {
      column[i] = (column[i] - samples * out.mean[i] * out.mean_projected[j]) / (samples - 1.0);
    }
  }
}

}  // namespace ballast::monitor
