#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/lanes/half.hpp"
#include "kernels/lanes/isa.hpp"
#include "kernels/lanes/lanes.hpp"
#include "tensor/element.hpp"

// Kernels compute in fp32 whatever the type of their arrays: loops over elements are templates on
// one of these, which says how an element is read, and how it is rounded when it is written.
namespace ballast::kernels {

struct StoredFp32 {
  using Element = float;
  BALLAST_INLINE float load(float x) { return x; }
  BALLAST_INLINE float store(float x) { return x; }
};

struct StoredBf16 {
  using Element = std::uint16_t;
  BALLAST_INLINE float load(std::uint16_t x) { return from_bf16(x); }
  BALLAST_INLINE std::uint16_t store(float x) { return to_bf16(x); }
};

struct StoredFp16 {
  using Element = std::uint16_t;
  BALLAST_INLINE float load(std::uint16_t x) { return from_fp16(x); }
  BALLAST_INLINE std::uint16_t store(float x) { return to_fp16(x); }
};

/// For a lambda that must be inlined into the kernel around it.
#define BALLAST_INLINE_LAMBDA __attribute__((always_inline))

/// visit(StoredFp32{}), or the one for `type`. `visit` must always be inlined: as a function of its
/// own it would be compiled for the oldest processor.
template <class Visit>
BALLAST_INLINE void with_stored(ElementType type, Visit&& visit) {
  switch (type) {
    case ElementType::fp32:
      return visit(StoredFp32{});
    case ElementType::bf16:
      return visit(StoredBf16{});
    case ElementType::fp16:
      return visit(StoredFp16{});
  }
}

template <class T>
using ElementOf = typename T::Element;

template <class T>
BALLAST_INLINE const ElementOf<T>* elements(T, const void* data) {
  return static_cast<const ElementOf<T>*>(data);
}

template <class T>
BALLAST_INLINE ElementOf<T>* elements(T, void* data) {
  return static_cast<ElementOf<T>*>(data);
}

/// `count` < 16 elements, and then `fill`. Called at most once a row, so not inlined into every
/// loop.
template <class T>
[[gnu::noinline]] void load_last(const ElementOf<T>* x, std::size_t count, float fill,
                                 float* values) {
  for (std::size_t l = 0; l < kLanes; ++l) values[l] = fill;
  for (std::size_t l = 0; l < count; ++l) values[l] = T::load(x[l]);
}

/// load_lanes of elements of any type.
template <class T>
BALLAST_INLINE void load_stored(const ElementOf<T>* x, std::size_t count, float fill,
                                LaneVector& lanes) {
  float values[kLanes];
  if (count >= kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) values[l] = T::load(x[l]);
  } else {
    load_last<T>(x, count, fill, values);
  }
  __builtin_memcpy(&lanes, values, sizeof lanes);
}

}  // namespace ballast::kernels
