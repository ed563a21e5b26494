#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "tensor/element.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// What is to be exported, and as what.
struct ExportOptions {
  std::filesystem::path checkpoint;  ///< a checkpoint, a run directory, or a Hugging Face folder
  std::filesystem::path output;      ///< a folder that is not there yet, or empty
  ExportFormat format = ExportFormat::hf;
  std::optional<ElementType> dtype{};  ///< nothing: fp32 of a checkpoint, a folder's own otherwise
  std::uint64_t shard_bytes = 5'000'000'000;  ///< of the tensors of a file, at most
  std::filesystem::path tokenizer{};          ///< a folder; empty: see find_tokenizer
  std::string program{};                      ///< who writes it: "ballast 0.2.0 (commit ...)"
  std::string title{};  ///< of the model, in README.md; empty: the output's name
  double timeout_s = ParallelConfig{}.timeout_s;
  /// Whether an earlier export may lie there, which it replaces in one step.
  enum class Earlier { refused, replaced } earlier = Earlier::refused;
};

/// A model as it was written.
struct Exported {
  std::filesystem::path source;  ///< the checkpoint or folder
  std::filesystem::path folder;
  std::string architecture;  ///< "LlamaForCausalLM"
  ElementType dtype = ElementType::fp32;
  std::uint64_t parameters = 0;
  std::size_t files = 0;    ///< of weights
  std::uint64_t bytes = 0;  ///< of these
  std::string tokenizer;    ///< where it is from, or why there is none; on rank 0
};

/// Writes a Hugging Face folder that transformers reads: weights, config.json,
/// generation_config.json, README.md, and the tokenizer. Weights are streamed from disk to disk by
/// all ranks, a MiB at a time; the files have the same bytes at any number of them. The folder
/// appears when it is complete; after an Error nothing of it is left. A usage Error for a model
/// that no family of transformers computes, and for an output that is there; data Errors name
/// files. Collective.
[[nodiscard]] Exported export_model(comm::Communicator& world, const ExportOptions& options);

}  // namespace ballast::train
