#pragma once

#include <filesystem>

#include "checkpoint/checkpoint.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/settings/identity.hpp"
#include "train/start/fingerprint.hpp"
#include "train/teacher.hpp"

namespace ballast::train {

/// A teacher that was trained for a step, as a checkpoint. Returns its folder.
inline std::filesystem::path save_teacher(const std::filesystem::path& run_dir, Config config,
                                          const data::Dataset& dataset) {
  config.data.path = dataset.path();
  EngineInJob training{config, test::world(), dataset};
  auto state = training.initialize();
  training.engine.step(state, kLr);
  return checkpoint::save(test::world(), training.model.layout(), training.model.tensors(),
                          {.run_dir = run_dir,
                           .state = state,
                           .identity = make_identity(config, dataset.info()),
                           .numerics = numerics_fingerprint(training.model.gemm())})
      .folder;
}

}  // namespace ballast::train
