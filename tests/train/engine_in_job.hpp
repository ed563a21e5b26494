#pragma once

#include "train/engine.hpp"
#include "train/plan/memory_plan.hpp"
#include "train/plan/model_in_job.hpp"

namespace ballast::train {

/// A model in training, built as the program builds one. It has no weights yet.
struct EngineInJob {
  EngineInJob(const Config& config, comm::Communicator& world, const data::Dataset& dataset,
              Profile* profile = nullptr)
      : job{settle(world, config, dataset)},
        plan{require_memory(world, job)},
        team{job.ranks.crew},
        model{world, make_blueprint(job, profile, &team), job.ranks.rank},
        engine{job, world, dataset, model, team, profile} {}

  /// Fresh weights. Returns the state that goes with them.
  checkpoint::TrainingState initialise() {
    model.initialise(job.config.run.seed);
    return engine.initial_state();
  }

  Job job;
  MemoryPlan plan;
  Team team;
  ModelInJob model;
  Engine engine;
};

}  // namespace ballast::train
