#pragma once

#include <cstddef>
#include <span>

#include "kernels/store.hpp"

namespace ballast::kernels {

/// out = ((out + sources[0]) + sources[1]) + ... with Store::add, or (sources[0] + sources[1]) +
/// ... with Store::overwrite: element by element, a left fold in the order of `sources`, so that
/// the bits are those of `accumulate` called for one source after another. At least one source,
/// each of out.size() elements from its element `first` on; none may overlap `out`.
void fold(std::span<const float* const> sources, Store store, std::span<float> out,
          std::size_t first = 0);

}  // namespace ballast::kernels
