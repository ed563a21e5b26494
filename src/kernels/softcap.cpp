#include "kernels/softcap.hpp"

#include <cstddef>

#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"
#include "kernels/lanes/tanh.hpp"

namespace ballast::kernels {

namespace {

BALLAST_KERNEL void cap_all(float cap, float inner, float* logits, std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) logits[i] = cap * tanh_lane(logits[i] * inner);
}

template <class T>
BALLAST_INLINE void slopes_of(float inverse_cap, const float* capped, ElementOf<T>* dlogits,
                              std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    dlogits[i] = T::store(T::load(dlogits[i]) * slope_of_tanh(capped[i] * inverse_cap));
  }
}

BALLAST_KERNEL void slopes_all(float inverse_cap, const float* capped, ElementType type,
                               void* dlogits, std::size_t count) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    slopes_of<decltype(t)>(inverse_cap, capped, elements(t, dlogits), count);
  });
}

}  // namespace

void softcap_forward(float cap, std::span<float> logits, Team* team) {
  for_elements(team, logits.size(), [&](std::size_t first, std::size_t count) {
    cap_all(cap, 1.0f / cap, logits.data() + first, count);
  });
}

void softcap_backward(float cap, std::span<const float> capped, const Elements& dlogits,
                      Team* team) {
  for_elements(team, capped.size(), [&](std::size_t first, std::size_t count) {
    slopes_all(1.0f / cap, capped.data() + first, dlogits.type(),
               dlogits.subspan(first, count).data(), count);
  });
}

}  // namespace ballast::kernels
