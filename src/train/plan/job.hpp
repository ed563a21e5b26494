#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "data/dataset.hpp"
#include "fsdp/mesh.hpp"
#include "fsdp/policy.hpp"
#include "fsdp/transport.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "model/model_config.hpp"
#include "optim/schedule.hpp"
#include "train/plan/ranks.hpp"
#include "train/plan/read_only_model.hpp"
#include "train/settings/config.hpp"
#include "train/watch/monitor_options.hpp"

namespace ballast::train {

/// What a training decides once, before it builds anything: the configuration as the user asked for
/// it, and what follows from it, from the dataset and from the ranks. `settle` makes it; everything
/// that is built or reported reads it, as const.
struct Job {
  Config config;                  ///< as the user asked for it: no default is filled in
  model::ModelConfig model;       ///< with the vocabulary of the dataset
  Ranks ranks;                    ///< hosts, and the threads and helpers of this rank
  fsdp::Policy policy;            ///< how parameters are sharded and moved
  fsdp::Mesh mesh;                ///< the ranks as replicas and shards
  fsdp::Transports transports;    ///< what moves the bytes between these hosts
  optim::Schedule schedule;       ///< with its defaults filled in
  MonitorPlan monitor;            ///< what is probed, and when held-out text is
  kernels::GemmTable gemm_table;  ///< of run.gemm_table, or of the checkpoint that is resumed

  std::vector<ReadOnlyModel> beside{};  ///< read-only models beside the one that trains

  /// The same job with the table of the checkpoint that it resumes.
  [[nodiscard]] Job with_gemm_table(kernels::GemmTable table) const;
  /// The same job with these models beside the one that trains. An internal Error if two have the
  /// same name.
  [[nodiscard]] Job with_beside(std::vector<ReadOnlyModel> models) const;
};

/// The job of a configuration on given ranks. Needs no MPI, so that jobs that do not run can be
/// planned. Usage Errors name keys that contradict one another, the model or the ranks.
[[nodiscard]] Job make_job(const Config& config, std::size_t vocabulary, Ranks ranks,
                           std::uint64_t held_out_every = 0);

/// The job of this run. `config` is valid. Usage Errors as make_job has them, and for probes of
/// more held-out tokens than there are. Collective.
[[nodiscard]] Job settle(comm::Communicator& world, const Config& config,
                         const data::Dataset& dataset);

}  // namespace ballast::train
