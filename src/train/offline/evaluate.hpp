#pragma once

#include <cstdint>
#include <filesystem>

#include "comm/communicator.hpp"
#include "train/settings/config.hpp"
#include "train/validation.hpp"

namespace ballast::train {

/// What to evaluate.
struct EvalOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, or a run directory for its newest one
  std::filesystem::path data;        ///< empty: the dataset it was trained on
  double timeout_s = ParallelConfig{}.timeout_s;
};

/// The result for a checkpoint.
struct Evaluation {
  std::filesystem::path checkpoint;
  std::uint64_t step = 0;
  EvalResult held_out;
};

/// Loss and bits per byte over the whole validation split, the same on every rank and at any number
/// of them. Data Errors name files that cannot be read or do not belong together. Collective.
[[nodiscard]] Evaluation evaluate(comm::Communicator& world, const EvalOptions& options);

}  // namespace ballast::train
