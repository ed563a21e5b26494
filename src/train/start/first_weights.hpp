#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Gives a model the weights that a fresh run begins with: those of run.init, and nothing else of
/// that model, or weights that run.seed draws. Returns lines on what they are, if anything is to be
/// said. Data Errors name file and tensor. Collective.
std::vector<std::string> take_first_weights(comm::Communicator& world, const RunConfig& run,
                                            ModelInJob& model);

}  // namespace ballast::train
