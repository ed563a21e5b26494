#include "train/start/first_weights.hpp"

#include <fmt/format.h>

#include "train/start/saved_model.hpp"

namespace ballast::train {

std::vector<std::string> take_first_weights(comm::Communicator& world, const RunConfig& run,
                                            ModelInJob& model) {
  if (run.init.empty()) {
    model.initialize(run.seed);
    return {};
  }
  const SavedModel init = find_saved_model(world, run.init);
  model.load_weights(world, [&](const auto& table) { return init.open(table); });
  std::vector<std::string> lines{fmt::format("weights of {}", init.path().string())};
  if (init.foreign() == nullptr) return lines;
  for (const auto& key : init.foreign()->ignored()) lines.push_back("warning: " + key);
  return lines;
}

}  // namespace ballast::train
