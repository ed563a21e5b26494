#include "kernels/ungated_activation.hpp"

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
BALLAST_INLINE void forward_of(const ElementOf<T>* x, ElementOf<T>* out, std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) out[i] = T::store(Curve::at(T::load(x[i])).value);
}

BALLAST_KERNEL void forward_all(Activation activation, ElementType type, const void* x, void* out,
                                std::size_t count) {
  with_curve(activation, [&](auto curve) BALLAST_INLINE_LAMBDA {
    with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
      forward_of<decltype(curve), decltype(t)>(elements(t, x), elements(t, out), count);
    });
  });
}

template <class Curve, class T, class D>
BALLAST_INLINE void backward_of(const ElementOf<T>* x, const ElementOf<D>* dout, ElementOf<T>* dx,
                                ElementOf<T>* activated, std::size_t count) {
  BALLAST_INDEPENDENT
  for (std::size_t i = 0; i < count; ++i) {
    const CurvePoint point = Curve::at(T::load(x[i]));
    dx[i] = T::store(D::load(dout[i]) * point.slope);
    activated[i] = T::store(point.value);
  }
}

struct BackwardMemory {
  const void* x;
  const void* dout;
  void* dx;
  void* activated;
};

BALLAST_KERNEL void backward_all(Activation activation, ElementType type, ElementType dout_type,
                                 const BackwardMemory& m, std::size_t count) {
  with_curve(activation, [&](auto curve) BALLAST_INLINE_LAMBDA {
    with_stored(type, [&](auto t) BALLAST_INLINE_LAMBDA {
      using Curve = decltype(curve);
      using T = decltype(t);
      if (dout_type == ElementType::fp32) {
        backward_of<Curve, T, StoredFp32>(elements(t, m.x), elements(StoredFp32{}, m.dout),
                                          elements(t, m.dx), elements(t, m.activated), count);
      } else {
        backward_of<Curve, T, T>(elements(t, m.x), elements(t, m.dout), elements(t, m.dx),
                                 elements(t, m.activated), count);
      }
    });
  });
}

}  // namespace

void activation_forward(Activation activation, const ConstElements& x, const Elements& out,
                        Team* team) {
  for_elements(team, out.size(), [&](std::size_t first, std::size_t count) {
    forward_all(activation, out.type(), x.subspan(first, count).data(),
                out.subspan(first, count).data(), count);
  });
}

void activation_backward(Activation activation, const ConstElements& x, const ConstElements& dout,
                         const Elements& dx, const Elements& activated, Team* team) {
  for_elements(team, dout.size(), [&](std::size_t first, std::size_t count) {
    const auto part = [&](const auto& all) { return all.subspan(first, count).data(); };
    backward_all(activation, x.type(), dout.type(),
                 {part(x), part(dout), part(dx), part(activated)}, count);
  });
}

}  // namespace ballast::kernels
