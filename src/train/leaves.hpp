#pragma once

#include <cstddef>
#include <cstdint>

#include "train/deal.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// The leaves of a step, as they are dealt.
[[nodiscard]] inline Pieces leaves_of(const DataConfig& data) {
  return {data.leaves(), data.leaf_micro_batches};
}

/// The training sample that a micro-batch of a leaf starts with, in a step that begins at `cursor`.
[[nodiscard]] inline std::uint64_t sample_of(const DataConfig& data, std::uint64_t cursor,
                                             std::size_t leaf, std::size_t micro_batch) {
  return cursor + leaf * data.leaf_sequences() + micro_batch * data.micro_batch;
}

/// The labels of a step if none were ignored. Gradients are scaled by it until the exact count is
/// known.
[[nodiscard]] inline double nominal_labels(const DataConfig& data) {
  return static_cast<double>(data.global_batch * data.seq_len);
}

}  // namespace ballast::train
