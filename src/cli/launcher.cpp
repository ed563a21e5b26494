#include "cli/launcher.hpp"

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>

#include "base/option_row.hpp"
#include "comm/runtime.hpp"

namespace ballast::cli {

namespace {

std::optional<int> number_in_environment(const char* name) {
  const char* const value = std::getenv(name);
  const auto number = value == nullptr ? std::nullopt : option_row::parse_whole(value);
  if (!number || *number > INT32_MAX) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

std::optional<int> launcher_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    if (const auto rank = number_in_environment(name)) return rank;
  }
  return std::nullopt;
}

std::optional<LaunchedJob> launched_job() {
  // In this order: under Slurm, mpirun's own daemons are a step that ranks inherit variables from.
  constexpr std::array<std::pair<const char*, const char*>, 3> kVariables{
      {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
       {"PMI_SIZE", "PMI_RANK"},
       {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}}};
  for (const auto& [size_name, rank_name] : kVariables) {
    if (const auto size = number_in_environment(size_name)) {
      return LaunchedJob{size_name, *size, number_in_environment(rank_name).value_or(0)};
    }
  }
  return std::nullopt;
}

std::string launch_problem(const std::optional<LaunchedJob>& job, int world_size) {
  if (!job || job->size == world_size) return {};
  return fmt::format(
      "the launcher started {} process(es) together ({} = {}), but this program's MPI ({}) finds "
      "{}: "
      "it is another MPI's launcher, or lacks its plug-in; start with the mpirun of this MPI, or "
      "with 'srun --mpi=pmix'",
      job->size, job->said_by, job->size, comm::mpi_version(), world_size);
}

}  // namespace ballast::cli
