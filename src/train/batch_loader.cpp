#include "train/batch_loader.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "comm/agree.hpp"

namespace ballast::train {

BatchLoader::BatchLoader(const data::Dataset& dataset, model::BatchShape shape)
    : dataset_{&dataset},
      shape_{shape},
      ids_(shape.tokens()),
      labels_(shape.tokens()),
      segments_(shape.tokens()),
      positions_(shape.tokens()),
      weights_(shape.tokens(), 1.0f) {
  for (std::size_t t = 0; t < positions_.size(); ++t) {
    positions_[t] = static_cast<std::int32_t>(t % shape.seq_len);
  }
  batch_ = {
      .shape = shape,
      .ids = ids_,
      .labels = labels_,
      .segments = segments_,
      .positions = positions_,
      .weights =
          dataset.has_weights() ? std::span<const float>{weights_} : std::span<const float>{},
  };
}

const model::Batch& BatchLoader::load_training(const data::Sampler& sampler, std::uint64_t cursor) {
  for (std::size_t row = 0; row < shape_.sequences; ++row) {
    load_window(data::Split::train, sampler.window(cursor + row), row);
  }
  return batch_;
}

const model::Batch& BatchLoader::load_in_order(data::Split split, std::size_t first,
                                               std::size_t windows) {
  for (std::size_t row = 0; row < shape_.sequences; ++row) {
    if (first + row < windows) {
      load_window(split, first + row, row);
    } else {
      clear_row(row);
    }
  }
  return batch_;
}

void BatchLoader::load_window(data::Split split, std::size_t window, std::size_t row) {
  try {
    read_window(split, window, row);
  } catch (const Error& error) {
    if (!fault_) fault_ = error;
    clear_row(row);
  }
}

void BatchLoader::agree_on_faults(comm::Communicator& world) {
  const auto fault = std::exchange(fault_, std::nullopt);
  comm::agree(world, "data", [&] {
    if (fault) throw *fault;
  });
}

void BatchLoader::read_window(data::Split split, std::size_t window, std::size_t row) {
  const std::size_t at = row * shape_.seq_len;
  dataset_->read_window(split, shape_.seq_len, window,
                        {
                            .inputs = std::span{ids_}.subspan(at, shape_.seq_len),
                            .labels = std::span{labels_}.subspan(at, shape_.seq_len),
                            .segments = std::span{segments_}.subspan(at, shape_.seq_len),
                            .weights = std::span{weights_}.subspan(at, shape_.seq_len),
                        });
}

void BatchLoader::clear_row(std::size_t row) {
  const std::size_t at = row * shape_.seq_len;
  std::ranges::fill(std::span{ids_}.subspan(at, shape_.seq_len), 0);
  std::ranges::fill(std::span{labels_}.subspan(at, shape_.seq_len), data::kIgnore);
  std::ranges::fill(std::span{segments_}.subspan(at, shape_.seq_len), 0);
}

}  // namespace ballast::train
