#pragma once

#include "comm/communicator.hpp"
#include "train/offline/export_options.hpp"

namespace ballast::train {

/// Writes a Hugging Face folder that transformers reads (weights, config.json,
/// generation_config.json, README.md, and the tokenizer), or a GGUF file that llama.cpp reads.
/// Weights are streamed from disk to disk by all ranks, a MiB at a time; the files have the same
/// bytes at any number of them. The output appears when it is complete; after an Error nothing of
/// it is left. A usage Error for a model that the other program does not compute, for an output
/// that is there, and for a calibration that changes nothing; data Errors name files. Collective.
///
/// With a calibration the model, sharded over the ranks, first reads text.
[[nodiscard]] Exported export_model(comm::Communicator& world, const ExportOptions& options);

}  // namespace ballast::train
