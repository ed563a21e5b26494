#include "kernels/gated_activation.hpp"

#include <cstddef>

#include "kernels/activation_curves.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/pieces.hpp"
#include "kernels/lanes/stored.hpp"

// Destinations may be sources, element for element; `ivdep` tells the compiler that nothing else
// overlaps.
namespace ballast::kernels {

namespace {

template <class Curve, class T>
BALLAST_INLINE void forward_of(const ElementOf<T>* gate, const ElementOf<T>* up, ElementOf<T>* out,
                               std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = T::store(Curve::at(T::load(gate[i])).value * T::load(up[i]));
  }
}

BALLAST_KERNEL void forward_all(Activation activation, ElementType type, const void* gate,
                                const void* up, void* out, std::size_t count) {
  with_curve(activation, [&](auto curve) BALLAST_INLINE_LAMBDA {
    with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
      forward_of<decltype(curve), decltype(t)>(elements(t, gate), elements(t, up), elements(t, out),
                                               count);
    });
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

template <class Curve, class T, class D>
BALLAST_INLINE void backward_of(const Backward<T>& arrays, const ElementOf<D>* dout,
                                std::size_t count) {
  const Backward<T> a = arrays;
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    const CurvePoint gate = Curve::at(T::load(a.gate[i]));
    const float u = T::load(a.up[i]);
    const float d = D::load(dout[i]);
    a.dgate[i] = T::store(d * u * gate.slope);
    a.dup[i] = T::store(d * gate.value);
    a.activated[i] = T::store(gate.value * u);
  }
}

struct BackwardMemory {
  const void* gate;
  const void* up;
  void* dgate;
  void* dup;
  void* activated;
};

BALLAST_KERNEL void backward_all(Activation activation, ElementType type, ElementType dout_type,
                                 const BackwardMemory& m, const void* dout, std::size_t count) {
  with_curve(activation, [&](auto curve) BALLAST_INLINE_LAMBDA {
    with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
      using Curve = decltype(curve);
      using T = decltype(t);
      const Backward<T> arrays{elements(t, m.gate), elements(t, m.up), elements(t, m.dgate),
                               elements(t, m.dup), elements(t, m.activated)};
      if (dout_type == ElementType::fp32) {
        backward_of<Curve, T, StoredFp32>(arrays, elements(StoredFp32{}, dout), count);
      } else {
        backward_of<Curve, T, T>(arrays, elements(t, dout), count);
      }
    });
  });
}

}  // namespace

void gated_activation_forward(Activation activation, const ConstElements& gate,
                              const ConstElements& up, const Elements& out, Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    const auto part = [&](const auto& x) { return x.subspan(first, count).data(); };
    forward_all(activation, out.type(), part(gate), part(up), part(out), count);
  });
}

void gated_activation_backward(Activation activation, const ConstElements& gate,
                               const ConstElements& up, const ConstElements& dout,
                               const Elements& dgate, const Elements& dup,
                               const Elements& activated, Team* team) {
  for_elements(team, dout.size(), [&](std::size_t first, std::size_t count) {
    const auto part = [&](const auto& x) { return x.subspan(first, count).data(); };
    backward_all(activation, gate.type(), dout.type(),
                 {part(gate), part(up), part(dgate), part(dup), part(activated)}, part(dout),
                 count);
  });
}

}  // namespace ballast::kernels
