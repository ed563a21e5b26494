#include "train/offline/loaded_model.hpp"

#include <utility>

#include "train/plan/memory_fit.hpp"

namespace ballast::train {

namespace {

Blueprint planned(comm::Communicator& world, Blueprint blueprint, const Ranks& ranks) {
  (void)require_memory(world, blueprint, ranks);
  return blueprint;
}

}  // namespace

LoadedModel::LoadedModel(comm::Communicator& world, const SavedModel& saved,
                         const ReadOnlyModel& read_only)
    : ranks_{settle_ranks(world, ParallelConfig{})},
      team_{ranks_.thread_plan},
      blueprint_{planned(world, make_blueprint(read_only, ranks_, nullptr, &team_), ranks_)},
      in_job_{world, blueprint_, ranks_.rank} {
  in_job_.load_weights(world, [&](const auto& table) { return saved.open(table); });
}

}  // namespace ballast::train
