#pragma once

#include <utility>
#include <vector>

#include "train/engine.hpp"
#include "train/forward_on_text.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/model_in_job.hpp"

namespace ballast::train {

/// A model in training, built as the program builds one. It has no weights yet. Memory is planned
/// for those beside it too; they are built by whoever wants them.
struct EngineInJob {
  EngineInJob(const Config& config, comm::Communicator& world, const data::Dataset& dataset,
              Profile* profile = nullptr, std::vector<ReadOnlyModel> beside = {})
      : job{settle(world, config, dataset).with_beside(std::move(beside))},
        plan{require_memory(world, job)},
        team{job.ranks.thread_plan},
        model{world, make_blueprint(job, profile, &team), job.ranks.rank},
        engine{job, world, dataset, model, team, profile},
        text{job, world, dataset, model, profile} {}

  /// Fresh weights. Returns the state that goes with them.
  checkpoint::TrainingState initialize() {
    model.initialize(job.config.run.seed);
    return engine.initial_state();
  }

  Job job;
  MemoryPlan plan;
  Team team;
  ModelInJob model;
  Engine engine;
  ForwardOnText text;
};

}  // namespace ballast::train
