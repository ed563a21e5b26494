#pragma once

#ifdef BALLAST_HAVE_ONEDNN

#include <compare>
#include <cstddef>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>

#include "kernels/gemm/gemm_library.hpp"

namespace ballast::kernels {

/// Products of bf16 operands by oneDNN's matmul primitive. Making one generates code, so each is
/// kept and used again with other memory. The caller limits oneDNN to one thread.
class OneDnnBf16 {
 public:
  void multiply(const Product& product);
  /// Makes the primitive for a product like this one.
  void prepare(const Product& product);

 private:
  /// Everything that a primitive depends on.
  struct Key {
    std::size_t m, n, k;
    std::size_t stride_a, stride_b, stride_c;
    Transpose transpose_a, transpose_b;
    Store store;
    ElementType type_c;
    auto operator<=>(const Key&) const = default;
  };

  /// A primitive and the memory objects it is called with.
  struct Entry {
    dnnl::matmul primitive;
    dnnl::memory a, b, c, scratch;
  };

  [[nodiscard]] static Key key_of(const Product& product);
  [[nodiscard]] Entry& entry_of(const Product& product);
  [[nodiscard]] Entry make(const Key& key);
  void reserve_scratch(std::size_t bytes);

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::map<Key, Entry> entries_;
  dnnl::memory scratch_;  ///< room for the entry that needs most, used by all
};

}  // namespace ballast::kernels

#endif  // BALLAST_HAVE_ONEDNN
