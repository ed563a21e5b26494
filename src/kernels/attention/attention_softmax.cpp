#include "kernels/attention/attention_softmax.hpp"

#include <bit>
#include <cstdint>
#include <limits>

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "kernels/lanes/tanh.hpp"

namespace ballast::kernels {

namespace {

typedef std::uint32_t WordVector __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));
typedef std::uint16_t HalfVector __attribute__((vector_size(kLanes * sizeof(std::uint16_t))));

/// 2^(x factor + bias) within 2 units in the last place: x factor + bias = n + r, then a minimax
/// polynomial in r and a factor of 2^n. Exactly 1 for 0, 0 below 2^-125, NaN for NaN; 2^127 is the
/// largest power.
BALLAST_INLINE float exp2_lane(float x, float factor, float bias) {
  // Adding 1.5 · 2^23 rounds to an integer and leaves it in the low bits of the sum.
  constexpr float kRound = 0x1.8p+23f;
  const float exponent = __builtin_fmaf(x, factor, bias);
  const float shifted = exponent + kRound;
  const float n = shifted - kRound;
  const float r = exponent - n;
  float q = 0x1.470b4ap-13f;
  q = __builtin_fmaf(q, r, 0x1.5f7276p-10f);
  q = __builtin_fmaf(q, r, 0x1.3b270ep-7f);
  q = __builtin_fmaf(q, r, 0x1.c6ae72p-5f);
  q = __builtin_fmaf(q, r, 0x1.ebfbe2p-3f);
  q = __builtin_fmaf(q, r, 0x1.62e432p-1f);
  const float p = __builtin_fmaf(q, r, 1.0f);
  const std::uint32_t power = (std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3F800000u;
  return n < -125.0f ? 0.0f : p * std::bit_cast<float>(power);
}

BALLAST_INLINE void store_weights(const LaneVector& values, float* out) {
  __builtin_memcpy(out, &values, sizeof values);
}

/// To bf16, nearest, ties away from zero: a third of the instructions that ties to even take, and
/// what is rounded here is never stored. It is no NaN but those that arithmetic makes.
BALLAST_INLINE void store_weights(const LaneVector& values, std::uint16_t* out) {
  WordVector bits;
  __builtin_memcpy(&bits, &values, sizeof bits);
  const HalfVector halves = __builtin_convertvector((bits + 0x8000u) >> 16, HalfVector);
  __builtin_memcpy(out, &halves, sizeof halves);
}

/// The columns of a row that a loop of whole lanes visits.
struct LaneCols {
  std::size_t begin;
  std::size_t end;
};

/// 16 words from `16 - n` on keep lanes n and later, those from `32 - n` on the lanes before n.
alignas(64) constexpr std::uint32_t kKept[3 * kLanes] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};

/// Gives −inf to 16 logits but [begin, end) of them. Without a branch, which rows that end
/// elsewhere would each mispredict, or a comparison, which the compiler would do lane by lane.
BALLAST_INLINE void mask_lanes(std::size_t begin, std::size_t end, float* logits) {
  constexpr std::uint32_t kHidden = 0xFF800000u;
  WordVector bits;
  WordVector late;
  WordVector early;
  __builtin_memcpy(&bits, logits, sizeof bits);
  __builtin_memcpy(&late, kKept + kLanes - begin, sizeof late);
  __builtin_memcpy(&early, kKept + 2 * kLanes - end, sizeof early);
  const WordVector kept = late & early;
  bits = (bits & kept) | (kHidden & ~kept);
  __builtin_memcpy(logits, &bits, sizeof bits);
}

/// The largest of whole lanes. NaNs are passed over.
BALLAST_INLINE float largest_of(const float* x, const LaneCols& cols) {
  constexpr float kNone = -__builtin_inff();
  LaneVector even = LaneVector{} + kNone;
  LaneVector odd = even;
  LaneVector values;
  std::size_t j = cols.begin;
  for (; j + 2 * kLanes <= cols.end; j += 2 * kLanes) {
    __builtin_memcpy(&values, x + j, sizeof values);
    even = values > even ? values : even;
    __builtin_memcpy(&values, x + j + kLanes, sizeof values);
    odd = values > odd ? values : odd;
  }
  if (j < cols.end) {
    __builtin_memcpy(&values, x + j, sizeof values);
    even = values > even ? values : even;
  }
  even = odd > even ? odd : even;
  // Halves against halves, until one lane is left.
  LaneVector turned =
      __builtin_shufflevector(even, even, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  even = turned > even ? turned : even;
  turned =
      __builtin_shufflevector(even, even, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  even = turned > even ? turned : even;
  turned =
      __builtin_shufflevector(even, even, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  even = turned > even ? turned : even;
  turned =
      __builtin_shufflevector(even, even, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  even = turned > even ? turned : even;
  return even[0];
}

BALLAST_INLINE LaneCols lane_cols(const SeenCols& seen) {
  if (seen.begin >= seen.end) return {0, 0};
  return {seen.begin / kLanes * kLanes, round_to_lanes(seen.end)};
}

/// Gives −inf to the logits in the lanes of `seen` that are not seen.
BALLAST_INLINE LaneCols mask_edges(const SeenCols& seen, float* logits) {
  const LaneCols cols = lane_cols(seen);
  if (cols.begin == cols.end) return cols;
  const auto mask_at = [&](std::size_t first) {
    mask_lanes(seen.begin > first ? seen.begin - first : 0,
               seen.end - first < kLanes ? seen.end - first : kLanes, logits + first);
  };
  mask_at(cols.begin);
  mask_at(cols.end - kLanes);
  return cols;
}

template <class T>
BALLAST_INLINE void clear_outside(const LaneCols& cols, std::size_t width, T* row) {
  for (std::size_t j = 0; j < cols.begin; ++j) row[j] = T{};
  for (std::size_t j = cols.end; j < width; ++j) row[j] = T{};
}

/// x: [count] *= factor, in whole lanes.
BALLAST_INLINE void scale_lanes(float factor, std::size_t count, float* x) {
  LaneVector values;
  for (std::size_t i = 0; i < count; i += kLanes) {
    __builtin_memcpy(&values, x + i, sizeof values);
    values *= factor;
    __builtin_memcpy(x + i, &values, sizeof values);
  }
}

/// Brings the maximum of a row up to date, and in line with it what was summed up before.
BALLAST_INLINE void raise_maximum(const SoftmaxTile& tile, std::size_t row, float here) {
  const float before = tile.max[row];
  if (!(here > before)) return;
  tile.max[row] = here;
  if (tile.out == nullptr) return;
  const float factor = exp2_lane(before - here, tile.scale, 0.0f);
  scale_lanes(factor, kLanes, tile.sum + row * kLanes);
  scale_lanes(factor, tile.head_stride, tile.out + row * tile.head_stride);
}

/// Rows one after the other twice, so that the maximum of one needs not wait for that before it.
template <class T>
BALLAST_INLINE void softmax_rows(const SoftmaxTile& tile) {
  for (std::size_t r = 0; r < tile.rows; ++r) {
    const SeenCols seen = tile.seen[r];
    float* const logits = tile.logits + r * tile.stride;
    const LaneCols cols = mask_edges(seen, logits);
    raise_maximum(tile, r, largest_of(logits, cols));
  }
  const float scale = tile.scale;
  for (std::size_t r = 0; r < tile.rows; ++r) {
    const float* const logits = tile.logits + r * tile.stride;
    T* const out = reinterpret_cast<T*>(tile.probabilities.data) + r * tile.probabilities.stride;
    const SeenCols seen = tile.seen[r];
    const LaneCols cols = lane_cols(seen);
    clear_outside(cols, tile.cols, out);
    const float max = tile.max[r];
    LaneVector sum;
    __builtin_memcpy(&sum, tile.sum + r * kLanes, sizeof sum);
    for (std::size_t j = cols.begin; j < cols.end; j += kLanes) {
      float powers[kLanes];
      for (std::size_t l = 0; l < kLanes; ++l) {
        powers[l] = exp2_lane(logits[j + l] - max, scale, 0.0f);
      }
      LaneVector values;
      __builtin_memcpy(&values, powers, sizeof values);
      sum += values;
      store_weights(values, out + j);
    }
    __builtin_memcpy(tile.sum + r * kLanes, &sum, sizeof sum);
  }
}

/// gradient *= 1 − tanh² for 16 capped logits. Those that are not seen are −inf, and their gradient
/// is 0.
BALLAST_INLINE void multiply_by_slopes(const float* logits, float inverse_softcap,
                                       LaneVector& gradient) {
  float slopes[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) {
    slopes[l] = slope_of_tanh(logits[l] * inverse_softcap);
  }
  LaneVector values;
  __builtin_memcpy(&values, slopes, sizeof values);
  gradient *= values;
}

template <class T, bool kCapped>
BALLAST_INLINE void gradient_rows(const SoftmaxGradientTile& tile) {
  const float scale = tile.scale;
  for (std::size_t r = 0; r < tile.rows; ++r) {
    float* const logits = tile.logits + r * tile.stride;
    const float* const dlogits = tile.dlogits + r * tile.stride;
    T* const weights =
        reinterpret_cast<T*>(tile.probabilities.data) + r * tile.probabilities.stride;
    T* const gradients = reinterpret_cast<T*>(tile.gradients.data) + r * tile.gradients.stride;
    const SeenCols seen = tile.seen[r];
    const LaneCols cols = mask_edges(seen, logits);
    clear_outside(cols, tile.cols, weights);
    clear_outside(cols, tile.cols, gradients);
    for (std::size_t j = cols.begin; j < cols.end; j += kLanes) {
      float powers[kLanes];
      for (std::size_t l = 0; l < kLanes; ++l) {
        powers[l] = exp2_lane(logits[j + l], scale, -tile.log_sum_exp[j + l]);
      }
      LaneVector p;
      LaneVector dp;
      LaneVector dot;
      __builtin_memcpy(&p, powers, sizeof p);
      __builtin_memcpy(&dp, dlogits + j, sizeof dp);
      __builtin_memcpy(&dot, tile.dot + j, sizeof dot);
      store_weights(p, weights + j);
      LaneVector gradient = p * (dp - dot);
      if constexpr (kCapped) multiply_by_slopes(logits + j, tile.inverse_softcap, gradient);
      store_weights(gradient, gradients + j);
    }
  }
}

BALLAST_KERNEL void softmax_to_floats(const SoftmaxTile& tile) { softmax_rows<float>(tile); }
BALLAST_KERNEL void softmax_to_bf16(const SoftmaxTile& tile) { softmax_rows<std::uint16_t>(tile); }
BALLAST_KERNEL void gradients_to_floats(const SoftmaxGradientTile& tile) {
  gradient_rows<float, false>(tile);
}
BALLAST_KERNEL void gradients_to_bf16(const SoftmaxGradientTile& tile) {
  gradient_rows<std::uint16_t, false>(tile);
}
BALLAST_KERNEL void capped_gradients_to_floats(const SoftmaxGradientTile& tile) {
  gradient_rows<float, true>(tile);
}
BALLAST_KERNEL void capped_gradients_to_bf16(const SoftmaxGradientTile& tile) {
  gradient_rows<std::uint16_t, true>(tile);
}

}  // namespace

void softmax_tile(const SoftmaxTile& tile) {
  const bool narrow = tile.probabilities.type == ElementType::bf16;
  narrow ? softmax_to_bf16(tile) : softmax_to_floats(tile);
}

void softmax_gradient_tile(const SoftmaxGradientTile& tile) {
  const bool narrow = tile.probabilities.type == ElementType::bf16;
  if (tile.inverse_softcap > 0.0f) {
    return narrow ? capped_gradients_to_bf16(tile) : capped_gradients_to_floats(tile);
  }
  narrow ? gradients_to_bf16(tile) : gradients_to_floats(tile);
}

}  // namespace ballast::kernels
