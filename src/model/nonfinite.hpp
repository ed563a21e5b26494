#pragma once

#include <cstddef>
#include <string>

namespace ballast::model {

/// Where the first infinite or undefined number of a forward pass arose.
struct NonFinite {
  std::string where;  ///< "embedding", "block.3" or "logits"
  std::size_t depth;  ///< 0 for the embedding, 1 + l for block l, layers + 1 for the logits

  friend bool operator==(const NonFinite&, const NonFinite&) = default;
};

}  // namespace ballast::model
