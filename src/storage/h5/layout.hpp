#pragma once

#include <cstddef>

namespace ballast::storage {

/// How a one-dimensional dataset is stored.
struct H5Layout {
  std::size_t chunk = 0;  ///< elements a chunk; 0: contiguous, fixed size
  int deflate = 0;        ///< 0 (none) to 9; needs chunks
};

}  // namespace ballast::storage
