#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "model/sampling.hpp"

namespace ballast::train {

/// What to continue, and how.
struct GenerateOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, or a run directory for its newest one
  std::string prompt;
  std::size_t tokens = 256;
  model::SamplingRule rule;
  std::uint64_t seed = 1;
};

/// Continues a prompt in one process; `emit` receives the new text, without the prompt, piece by
/// piece as it is generated. Data Errors name files that cannot be read.
void generate(const GenerateOptions& options, const std::function<void(std::string_view)>& emit);

}  // namespace ballast::train
