#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "train/settings/config.hpp"

namespace ballast::train {

/// What is to be exported, and as what.
struct ExportOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, a run directory, or a foreign model
  std::filesystem::path output;      ///< a folder or file that is not there yet, or empty
  ExportFormat format = ExportFormat::hf;
  /// A word of the format: "fp32" or "bf16" of a folder, "q8_0" of a GGUF file. Empty: fp32 of a
  /// checkpoint, otherwise what the weights are stored as.
  std::string dtype{};
  /// Of a GGUF file: a dataset whose text says which errors of rounding matter (see
  /// measure_importance); empty: all alike.
  std::filesystem::path calibrate{};
  std::optional<std::size_t> calibrate_windows{};  ///< so many of it; nothing: some
  std::uint64_t shard_bytes = 5'000'000'000;       ///< of the tensors of a file, at most
  std::filesystem::path tokenizer{};               ///< a folder; empty: see find_tokenizer
  std::string program{};                           ///< who writes it: "ballast 0.2.0 (commit ...)"
  std::string title{};  ///< of the model, in README.md; empty: the output's name
  double timeout_s = ParallelConfig{}.timeout_s;
  /// Whether an earlier export may lie there, which it replaces in one step.
  enum class Earlier { refused, replaced } earlier = Earlier::refused;
};

/// A model as it was written.
struct Exported {
  std::filesystem::path source;  ///< the checkpoint or folder
  std::filesystem::path output;
  std::string architecture;  ///< "LlamaForCausalLM", "llama"
  std::string dtype;         ///< as ExportOptions has it
  std::uint64_t parameters = 0;
  std::size_t files = 0;     ///< of weights
  std::uint64_t bytes = 0;   ///< of these
  std::string importance{};  ///< what it was measured on; empty: nothing
  std::string tokenizer;     ///< where it is from, or why there is none; on rank 0
};

}  // namespace ballast::train
