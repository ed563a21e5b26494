#include "kernels/fold.hpp"

#include <cstddef>

#include "kernels/lanes/isa.hpp"

namespace ballast::kernels {

namespace {

/// Elements of `out` that all sources are folded into before the next are begun: 8 KiB, which stay
/// in the first cache however many sources there are.
constexpr std::size_t kBlock = 2048;

/// Sources that one loop reads at once: as many streams as prefetchers follow with ease.
constexpr std::size_t kTogether = 4;

template <std::size_t kSources, Store kStore>
BALLAST_INLINE void fold_some(const float* const* sources, std::size_t offset, float* out,
                              std::size_t count) {
  const float* from[kSources];
  for (std::size_t s = 0; s < kSources; ++s) from[s] = sources[s] + offset;
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    float sum = kStore == Store::add ? out[i] + from[0][i] : from[0][i];
#pragma GCC unroll 4
    for (std::size_t s = 1; s < kSources; ++s) sum += from[s][i];
    out[i] = sum;
  }
}

template <Store kStore>
BALLAST_INLINE void fold_up_to_four(const float* const* sources, std::size_t source_count,
                                    std::size_t offset, float* out, std::size_t count) {
  switch (source_count) {
    case 1:
      return fold_some<1, kStore>(sources, offset, out, count);
    case 2:
      return fold_some<2, kStore>(sources, offset, out, count);
    case 3:
      return fold_some<3, kStore>(sources, offset, out, count);
    default:
      return fold_some<kTogether, kStore>(sources, offset, out, count);
  }
}

BALLAST_KERNEL void fold_all(const float* const* sources, std::size_t source_count,
                             std::size_t first, Store store, float* out, std::size_t count) {
  for (std::size_t start = 0; start < count; start += kBlock) {
    const std::size_t block = count - start < kBlock ? count - start : kBlock;
    Store how = store;
    for (std::size_t s = 0; s < source_count; s += kTogether) {
      const std::size_t left = source_count - s;
      if (how == Store::add) {
        fold_up_to_four<Store::add>(sources + s, left, first + start, out + start, block);
      } else {
        fold_up_to_four<Store::overwrite>(sources + s, left, first + start, out + start, block);
      }
      how = Store::add;
    }
  }
}

}  // namespace

void fold(std::span<const float* const> sources, Store store, std::span<float> out,
          std::size_t first) {
  fold_all(sources.data(), sources.size(), first, store, out.data(), out.size());
}

}  // namespace ballast::kernels
