#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "model/sampling.hpp"

namespace ballast::train {

/// What is to be continued, and how.
struct GenerateOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, or a run directory: its newest
  std::string prompt;
  std::size_t tokens = 256;
  model::SamplingRule rule;
  std::uint64_t seed = 1;
};

/// Continues a prompt in one process; `emit` receives the text piece by piece as it is written, the
/// prompt left out. Data Errors name files that cannot be read.
void generate(const GenerateOptions& options, const std::function<void(std::string_view)>& emit);

}  // namespace ballast::train
