#pragma once

#include "comm/communicator.hpp"
#include "train/plan/model_in_job.hpp"
#include "train/plan/ranks.hpp"
#include "train/plan/read_only_model.hpp"
#include "train/start/saved_model.hpp"

namespace ballast::train {

/// A saved model with its weights, spread over the ranks, to be read.
class LoadedModel {
 public:
  /// `read_only`: what passes through it, and in which types. Memory is held against what the host
  /// has before anything is mapped. Collective.
  LoadedModel(comm::Communicator& world, const SavedModel& saved, const ReadOnlyModel& read_only);

  [[nodiscard]] ModelInJob& in_job() { return in_job_; }

 private:
  Ranks ranks_;
  Team team_;
  Blueprint blueprint_;
  ModelInJob in_job_;
};

}  // namespace ballast::train
