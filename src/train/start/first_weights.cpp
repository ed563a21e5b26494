#include "train/start/first_weights.hpp"

#include <fmt/format.h>

#include "train/start/saved_model.hpp"

namespace ballast::train {

std::string take_first_weights(comm::Communicator& world, const RunConfig& run, ModelInJob& model) {
  if (run.init.empty()) {
    model.initialize(run.seed);
    return {};
  }
  const SavedModel init = find_saved_model(world, run.init);
  model.load_weights(world, [&](const auto& table) { return init.open(table); });
  return fmt::format("weights of {}", init.path().string());
}

}  // namespace ballast::train
