#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ballast::monitor {

/// What an update of the weights shows of one tensor. NaN where there was no update.
struct TensorUpdate {
  std::string name;
  std::optional<std::size_t> layer;  ///< of the block that it belongs to; none: embedding and head
  bool is_matrix = false;
  /// Adam's RMS_t, the root of the mean of g² ÷ max(v, ε²): some 1 while v follows the gradient,
  /// and far above where it lags behind (Wortsman et al. 2023, arXiv:2304.13013).
  double staleness = std::nan("");
  double weight = std::nan("");  ///< RMS of the new weights
  double update = std::nan("");  ///< ‖w − w before‖ ÷ ‖w‖, weight decay included
};

/// By tensor, in the order of the parameter table.
using UpdateSignals = std::vector<TensorUpdate>;

}  // namespace ballast::monitor
