#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "comm/communicator.hpp"
#include "tensor/element.hpp"
#include "train/settings/config.hpp"
#include "train/validation.hpp"

namespace ballast::train {

/// What to evaluate.
struct EvalOptions {
  std::filesystem::path checkpoint;          ///< a checkpoint, a run directory, or a foreign model
  std::filesystem::path data;                ///< empty: the dataset it was trained on
  std::optional<std::size_t> seq_len{};      ///< of the windows; nothing: as it was trained
  std::optional<std::size_t> micro_batch{};  ///< windows at a time; nothing: as it was trained
  std::optional<ElementType> param{};        ///< that it computes with; nothing: as it was trained
  double timeout_s = ParallelConfig{}.timeout_s;
};

/// The result for a checkpoint.
struct Evaluation {
  std::filesystem::path checkpoint;
  std::optional<std::uint64_t> step;  ///< of a checkpoint of ours
  EvalResult held_out;
};

/// Loss and bits per byte over the whole validation split, the same on every rank and at any number
/// of them. Data Errors name files that cannot be read or do not belong together. Collective.
[[nodiscard]] Evaluation evaluate(comm::Communicator& world, const EvalOptions& options);

}  // namespace ballast::train
