#include "kernels/bias.hpp"

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

namespace ballast::kernels {

namespace {

template <class T>
BALLAST_INLINE void add_to_row(const float* bias, ElementOf<T>* x, std::size_t width) {
  BALLAST_INDEPENDENT
  for (std::size_t c = 0; c < width; ++c) x[c] = T::store(T::load(x[c]) + bias[c]);
}

BALLAST_KERNEL void add_to_rows(ElementType type, std::size_t rows, std::size_t width,
                                const float* bias, void* x) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    for (std::size_t r = 0; r < rows; ++r) {
      add_to_row<decltype(t)>(bias, elements(t, x) + r * width, width);
    }
  });
}

template <class T>
BALLAST_INLINE void sum_row(const ElementOf<T>* dy, float* sums, std::size_t width) {
  BALLAST_INDEPENDENT
  for (std::size_t c = 0; c < width; ++c) sums[c] += T::load(dy[c]);
}

BALLAST_KERNEL void sum_rows(ElementType type, std::size_t rows, std::size_t width, const void* dy,
                             float* sums) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    for (std::size_t r = 0; r < rows; ++r) {
      sum_row<decltype(t)>(elements(t, dy) + r * width, sums, width);
    }
  });
}

}  // namespace

void add_bias(std::size_t rows, std::size_t width, std::span<const float> bias, const Elements& x,
              Team* team) {
  for_rows(team, rows, width, [&](std::size_t first, std::size_t count) {
    add_to_rows(x.type(), count, width, bias.data(),
                x.subspan(first * width, count * width).data());
  });
}

void bias_gradient(std::size_t rows, std::size_t width, const ConstElements& dy,
                   const ColumnSums& dbias, Team* team) {
  if (dbias.values.empty()) return;
  sum_columns(team, rows, width, dbias,
              [&](std::size_t first, std::size_t count, std::span<float> sums) {
                sum_rows(dy.type(), count, width, dy.subspan(first * width, count * width).data(),
                         sums.data());
              });
}

}  // namespace ballast::kernels
