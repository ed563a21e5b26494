#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "comm/communicator.hpp"
#include "formats/gguf/gguf_plan.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

/// Tokens on which importance is measured where nobody says how many windows.
inline constexpr std::size_t kCalibrationTokens = std::size_t{1} << 17;

/// The text on which importance is measured.
struct CalibrationText {
  std::filesystem::path data;            ///< a dataset, of which the training split is read
  std::optional<std::size_t> windows{};  ///< so many of it; nothing: kCalibrationTokens
};

/// What errors in each column of a model's matrices cost, and what it was measured on.
struct MeasuredImportance {
  formats::GgufImportance columns;
  std::size_t windows = 0;
  std::size_t seq_len = 0;  ///< tokens of a window
};

/// The mean square of what each column of a model's matrices is multiplied with. To first order
/// that is its weight in the squared error of a linear layer's output, whose cross terms are left
/// out: the diagonal of the Hessian in Frantar et al. 2022 (GPTQ), and what llama.cpp calls an
/// importance matrix. Windows are as long as those of the training, drawn from all of its split
/// without repetition; computed in the types of the training. The same bits at any number of ranks.
/// Data Errors name a dataset that cannot be read, that is of other tokens than the model, or that
/// fills no window. Collective.
[[nodiscard]] MeasuredImportance measure_importance(comm::Communicator& world,
                                                    const SavedModel& saved,
                                                    const CalibrationText& text);

}  // namespace ballast::train
