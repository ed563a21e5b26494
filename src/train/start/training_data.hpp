#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "fsdp/topology.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Opens data.path on every rank and makes sure that it is the same dataset on all, that it fills
/// windows, and that some training token has a weight. Data Errors name file, rank and host.
/// Collective.
[[nodiscard]] data::Dataset open_training_data(comm::Communicator& world, const Config& config);

/// Holds the file against its hashes, as data.verify says: the ranks of each host share the work
/// and read all of it; one rank a host alone where the file is of format 1, which has no hashes of
/// blocks. Returns what to say of it. Data Errors name file, dataset, block and elements.
/// Collective.
[[nodiscard]] std::string verify_training_data(comm::Communicator& world,
                                               const fsdp::Topology& topology,
                                               const data::Dataset& dataset, Verify verify);

/// For the log: windows, the share of the training tokens that they reach, and how often the run
/// sees them; a warning besides where much is never reached.
[[nodiscard]] std::vector<std::string> describe_training_data(const Config& config,
                                                              const data::Dataset& dataset);

}  // namespace ballast::train
