#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/sampling.hpp"

namespace ballast::train {

/// What to continue, and how.
struct GenerateOptions {
  std::filesystem::path checkpoint = {};      ///< a checkpoint, a run directory, or a foreign model
  std::string prompt = {};                    ///< for the model's own tokenizer
  std::vector<std::int32_t> prompt_ids = {};  ///< instead of a prompt
  std::size_t tokens = 256;
  /// Tokens that are looked back at; nothing: as it was trained, or its context up to 2,048.
  std::optional<std::size_t> context = {};
  model::SamplingRule rule = {};
  std::uint64_t seed = 1;
};

/// Continues a prompt in one process; `emit` receives the prompt and the text piece by piece as it
/// is written, or token ids with blanks between them where the model's tokenizer is not known. It
/// ends before its end if the model ends the text. Usage Errors name the option; data Errors name
/// files that cannot be read. Nothing is emitted before the prompt was read.
void generate(const GenerateOptions& options, const std::function<void(std::string_view)>& emit);

}  // namespace ballast::train
