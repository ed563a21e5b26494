#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/hash.hpp"
#include "comm/communicator.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// What becomes a checkpoint, and where.
struct ImportOptions {
  std::filesystem::path model;   ///< a Hugging Face folder, or a GGUF file
  std::filesystem::path output;  ///< a folder that is not there yet, or empty
  double timeout_s = ParallelConfig{}.timeout_s;
};

/// A checkpoint as it was made.
struct Imported {
  std::filesystem::path folder;
  std::uint64_t parameters = 0;
  Hash128 hash;                      ///< of its state
  std::string tokenizer;             ///< which one it holds, or why none; on rank 0
  std::vector<std::string> ignored;  ///< of the model's configuration: ForeignModel::ignored()
};

/// Makes a checkpoint of step 0 of a foreign model: its weights to the bit, moments of zero,
/// the model's keys. The output is the folder of one checkpoint (with a manifest), not a run
/// directory: what names a checkpoint may name it, run.init too; no run goes on from it with
/// checkpoint.resume, since it has no dataset. It holds the model's tokenizer where that is one
/// that Ballast computes; where not, `data.tokenizer` is "none", and an evaluation takes whatever
/// dataset it is given. The folder appears when it is complete; after an
/// Error nothing of it is left. Takes 12 bytes a parameter, over all ranks, which are held against
/// the machine's memory before. Usage Errors for an output that is there and for memory that is
/// not; data Errors name files. Collective.
[[nodiscard]] Imported import_model(comm::Communicator& world, const ImportOptions& options);

}  // namespace ballast::train
