#include "model/grouping.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::model {

Grouping Grouping::per_block(std::size_t layers) { return {std::vector<std::size_t>(layers, 1)}; }

Grouping Grouping::blocks(std::size_t layers, std::size_t n) {
  if (n == 0 || n > layers) {
    throw usage_error(
        "parallel.wrap = blocks:{} matches nothing in a model of {} blocks: write "
        "blocks:N with N from 1 to {}",
        n, layers, layers);
  }
  Grouping grouping;
  for (std::size_t first = 0; first < layers; first += n) {
    grouping.layers.push_back(std::min(n, layers - first));
  }
  return grouping;
}

}  // namespace ballast::model
