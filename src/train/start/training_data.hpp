#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "fsdp/topology.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Opens data.path on every rank and makes sure that it is the same dataset on all, that it has
/// windows, and that some training token has a weight above 0. Data Errors name file, rank and
/// host. Collective.
[[nodiscard]] data::Dataset open_training_data(comm::Communicator& world, const Config& config);

/// Compares the file with its hashes, as data.verify says. The ranks of each host share the work; a
/// file of format 1, which has no hashes of blocks, is read by one rank of each host. Returns a
/// line for the log. Data Errors name file, dataset, block and elements. Collective.
[[nodiscard]] std::string verify_training_data(comm::Communicator& world,
                                               const fsdp::Topology& topology,
                                               const data::Dataset& dataset, Verify verify);

/// Lines for the log: windows, the share of the training tokens that they reach, how often the run
/// sees them, and a warning if a large share is never reached.
[[nodiscard]] std::vector<std::string> describe_training_data(const Config& config,
                                                              const data::Dataset& dataset);

}  // namespace ballast::train
