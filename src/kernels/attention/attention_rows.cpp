#include "kernels/attention/attention_rows.hpp"

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/stored.hpp"

namespace ballast::kernels {

namespace {

template <class Format>
BALLAST_INLINE void scale_into(const float* __restrict x, std::size_t cols, float factor,
                               typename Format::Element* __restrict out) {
  for (std::size_t i = 0; i < cols; ++i) out[i] = Format::store(x[i] * factor);
}

BALLAST_INLINE void scale_row(const float* x, std::size_t cols, float factor, ElementType type,
                              std::byte* out) {
  if (type == ElementType::fp32) {
    scale_into<StoredFp32>(x, cols, factor, reinterpret_cast<float*>(out));
  } else if (type == ElementType::bf16) {
    scale_into<StoredBf16>(x, cols, factor, reinterpret_cast<std::uint16_t*>(out));
  } else {
    scale_into<StoredFp16>(x, cols, factor, reinterpret_cast<std::uint16_t*>(out));
  }
}

/// Asks for a row of `out` some rows before it is written: rows of a head are apart, and what
/// writes into memory that is in no cache waits for each line.
BALLAST_INLINE void fetch_ahead(const HeadRows<std::byte>& out, std::size_t row,
                                const ScratchRows& x) {
  constexpr std::size_t kRowsAhead = 8;
  constexpr std::size_t kLine = 64;
  if (row + kRowsAhead >= x.rows) return;
  const std::size_t size = size_of(out.type);
  const std::byte* const next = out.data + (row + kRowsAhead) * out.stride * size;
  for (std::size_t at = 0; at < x.cols * size; at += kLine) __builtin_prefetch(next + at, 1, 3);
}

template <class Format>
BALLAST_INLINE float dot_of(const typename Format::Element* x, const typename Format::Element* y,
                            std::size_t cols) {
  LaneVector sum{};
  LaneVector product;
  float products[kLanes];
  std::size_t i = 0;
  for (; i + kLanes <= cols; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      products[l] = Format::load(x[i + l]) * Format::load(y[i + l]);
    }
    __builtin_memcpy(&product, products, sizeof product);
    sum += product;
  }
  if (i < cols) {
    for (float& value : products) value = 0.0f;
    for (std::size_t l = 0; i + l < cols; ++l) {
      products[l] = Format::load(x[i + l]) * Format::load(y[i + l]);
    }
    __builtin_memcpy(&product, products, sizeof product);
    sum += product;
  }
  return lane_tree(sum);
}

template <class Format>
BALLAST_INLINE float row_dot(const std::byte* x, const std::byte* y, std::size_t cols) {
  using Type = typename Format::Element;
  return dot_of<Format>(reinterpret_cast<const Type*>(x), reinterpret_cast<const Type*>(y), cols);
}

}  // namespace

BALLAST_KERNEL void scale_rows(const ScratchRows& x, float factor, const HeadRows<std::byte>& out) {
  for (std::size_t r = 0; r < x.rows; ++r) {
    fetch_ahead(out, r, x);
    scale_row(x.data + r * x.stride, x.cols, factor, out.type,
              out.data + r * out.stride * size_of(out.type));
  }
}

BALLAST_KERNEL void divide_rows(const ScratchRows& x, const float* divisors,
                                const HeadRows<std::byte>& out) {
  for (std::size_t r = 0; r < x.rows; ++r) {
    fetch_ahead(out, r, x);
    scale_row(x.data + r * x.stride, x.cols, 1.0f / divisors[r], out.type,
              out.data + r * out.stride * size_of(out.type));
  }
}

BALLAST_KERNEL void row_dots(const HeadRows<const std::byte>& x, const HeadRows<const std::byte>& y,
                             std::size_t rows, std::size_t cols, float* dot) {
  const std::size_t row_bytes = x.stride * size_of(x.type);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::byte* const a = x.data + r * row_bytes;
    const std::byte* const b = y.data + r * row_bytes;
    dot[r] = x.type == ElementType::fp32   ? row_dot<StoredFp32>(a, b, cols)
             : x.type == ElementType::bf16 ? row_dot<StoredBf16>(a, b, cols)
                                           : row_dot<StoredFp16>(a, b, cols);
  }
}

BALLAST_KERNEL void row_sums(const float* lanes, std::size_t rows, float* sums) {
  for (std::size_t r = 0; r < rows; ++r) sums[r] = lane_tree(lanes + r * kLanes);
}

}  // namespace ballast::kernels
