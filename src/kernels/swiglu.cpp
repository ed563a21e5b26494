#include "kernels/swiglu.hpp"

#include <cstddef>

#include "kernels/lanes/exp.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

// Destinations may be sources, element for element; `ivdep` tells the compiler that nothing else
// overlaps.
namespace ballast::kernels {

namespace {

template <class T>
BALLAST_INLINE void forward_of(const ElementOf<T>* gate, const ElementOf<T>* up, ElementOf<T>* out,
                               std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    const float g = T::load(gate[i]);
    out[i] = T::store(g * sigmoid_lane(g) * T::load(up[i]));
  }
}

BALLAST_KERNEL void forward_all(ElementType type, const void* gate, const void* up, void* out,
                                std::size_t count) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    forward_of<decltype(t)>(elements(t, gate), elements(t, up), elements(t, out), count);
  });
}

template <class T>
struct Backward {
  const ElementOf<T>* gate;
  const ElementOf<T>* up;
  ElementOf<T>* dgate;
  ElementOf<T>* dup;
  ElementOf<T>* activated;
};

template <class T, class D>
BALLAST_INLINE void backward_of(const Backward<T>& arrays, const ElementOf<D>* dout,
                                std::size_t count) {
  const Backward<T> a = arrays;
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    const float g = T::load(a.gate[i]);
    const float u = T::load(a.up[i]);
    const float d = D::load(dout[i]);
    const float s = sigmoid_lane(g);
    const float silu = g * s;
    // (g s)' = s + g s (1 − s)
    a.dgate[i] = T::store(d * u * __builtin_fmaf(silu, 1.0f - s, s));
    a.dup[i] = T::store(d * silu);
    a.activated[i] = T::store(silu * u);
  }
}

struct BackwardMemory {
  const void* gate;
  const void* up;
  void* dgate;
  void* dup;
  void* activated;
};

BALLAST_KERNEL void backward_all(ElementType type, ElementType dout_type, const BackwardMemory& m,
                                 const void* dout, std::size_t count) {
  with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
    using T = decltype(t);
    const Backward<T> arrays{elements(t, m.gate), elements(t, m.up), elements(t, m.dgate),
                             elements(t, m.dup), elements(t, m.activated)};
    if (dout_type == ElementType::fp32) {
      backward_of<T, StoredFp32>(arrays, elements(StoredFp32{}, dout), count);
    } else {
      backward_of<T, T>(arrays, elements(t, dout), count);
    }
  });
}

}  // namespace

void swiglu_forward(const ConstElements& gate, const ConstElements& up, const Elements& out,
                    Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    const auto part = [&](const auto& x) { return x.subspan(first, count).data(); };
    forward_all(out.type(), part(gate), part(up), part(out), count);
  });
}

void swiglu_backward(const ConstElements& gate, const ConstElements& up, const ConstElements& dout,
                     const Elements& dgate, const Elements& dup, const Elements& activated,
                     Team* team) {
  for_elements(team, dout.size(), [&](std::size_t first, std::size_t count) {
    const auto part = [&](const auto& x) { return x.subspan(first, count).data(); };
    backward_all(gate.type(), dout.type(),
                 {part(gate), part(up), part(dgate), part(dup), part(activated)}, part(dout),
                 count);
  });
}

}  // namespace ballast::kernels
