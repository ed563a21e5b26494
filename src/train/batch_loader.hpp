#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "data/sampler.hpp"
#include "model/batch.hpp"

namespace ballast::train {

/// Reads windows of a dataset into the one batch it owns; each load overwrites the last.
///
/// A rank that cannot read a window must not leave a step that the others are in. The window is
/// replaced by ignored labels, and the Error is kept until agree_on_faults.
class BatchLoader {
 public:
  BatchLoader(const data::Dataset& dataset, model::BatchShape shape);

  /// The training samples [cursor, cursor + shape.sequences), in the sampler's order.
  const model::Batch& load_training(const data::Sampler& sampler, std::uint64_t cursor);

  /// The split's windows [first, first + shape.sequences), as they lie in the dataset; those from
  /// `windows` on are all ignored labels.
  const model::Batch& load_in_order(data::Split split, std::size_t first, std::size_t windows);
  const model::Batch& load_validation(std::size_t first, std::size_t windows) {
    return load_in_order(data::Split::validation, first, windows);
  }

  /// Whether a window could not be read since the last agree_on_faults.
  [[nodiscard]] bool has_fault() const { return fault_.has_value(); }
  /// Throws the Error of the first window that a rank could not read, on every rank. Collective.
  void agree_on_faults(comm::Communicator& world);

 private:
  void load_window(data::Split split, std::size_t window, std::size_t row);
  void read_window(data::Split split, std::size_t window, std::size_t row);
  void clear_row(std::size_t row);

  const data::Dataset* dataset_;
  model::BatchShape shape_;
  std::vector<std::int32_t> ids_, labels_, segments_, positions_;
  std::vector<float> weights_;
  model::Batch batch_;
  std::optional<Error> fault_;
};

}  // namespace ballast::train
