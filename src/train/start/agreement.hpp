#pragma once

#include <optional>

#include "checkpoint/check.hpp"
#include "comm/communicator.hpp"
#include "data/dataset.hpp"

namespace ballast::train {

// Before step 1 every rank compares with rank 0 what it would train on. A difference is a data
// Error on all ranks that names file, value, rank and host on both sides. All are collective.

/// The dataset: its content, tokenizer, and numbers of tokens. Copies may lie elsewhere and be of
/// another format.
void require_same_dataset(comm::Communicator& world, const data::Dataset& dataset);

/// The checkpoint to go on from, or that there is none: its step, state and manifest.
void require_same_checkpoint(comm::Communicator& world,
                             const std::optional<checkpoint::Checked>& checkpoint);

}  // namespace ballast::train
