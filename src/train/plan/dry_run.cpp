#include "train/plan/dry_run.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "data/dataset.hpp"
#include "train/plan/binding.hpp"
#include "train/plan/memory_plan.hpp"
#include "train/settings/summary.hpp"

namespace ballast::train {

namespace {

fsdp::Topology topology_of(std::size_t ranks, std::size_t ranks_per_host) {
  fsdp::Topology topology;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    topology.host_of.push_back(rank / ranks_per_host);
  }
  return topology;
}

/// One job: so many ranks, and what they come to.
struct Job {
  fsdp::Topology topology;
  MemoryPlan plan;

  [[nodiscard]] std::size_t hosts() const { return topology.host_of.back() + 1; }
};

Job plan_job(const Config& config, std::size_t ranks, const DryRun& request) {
  Job job{topology_of(ranks, request.ranks_per_host.value_or(ranks)), {}};
  Config settled = config;
  // As ranks would have them that share a host like this one.
  settle_threads(settled.parallel, job.topology, std::vector(ranks, allowed_processors()));
  job.plan = plan_memory(settled, job.topology, 0);
  return job;
}

/// Weights, gradients and optimiser over all ranks of the host, for each parameter of the model.
double persistent_bytes_a_parameter(const MemoryPlan& plan, std::size_t parameters) {
  std::uint64_t bytes = 0;
  for (const auto& [memory_class, planned] : plan.host_items) {
    if (memory_class == MemoryClass::parameters || memory_class == MemoryClass::gradients ||
        memory_class == MemoryClass::optimizer) {
      bytes += planned;
    }
  }
  return static_cast<double>(bytes) / static_cast<double>(parameters);
}

std::string describe_classes(const MemoryPlan& plan, std::size_t parameters) {
  std::string text = fmt::format("planned on a host, over its {} rank(s):\n", plan.host_ranks);
  for (const auto& [memory_class, bytes] : plan.host_items) {
    text += fmt::format("  {:<12} {:>10} {:>22} bytes\n", name_of(memory_class), human_bytes(bytes),
                        with_thousands(bytes));
  }
  if (plan.gradients_in_activations > 0) {
    text += fmt::format("  another {} of gradients lie where the backward has let activations go\n",
                        human_bytes(plan.gradients_in_activations));
  }
  return text + fmt::format(
                    "  parameters, gradients and optimizer: {:.2f} bytes a parameter of the "
                    "model\n",
                    persistent_bytes_a_parameter(plan, parameters));
}

constexpr std::string_view kRow = "{:>6} {:>6} {:>12} {:>12} {:>12} {:>14}  {}\n";

std::string header() {
  return "on the fullest host:\n" + fmt::format(kRow, "ranks", "hosts", "a rank's own", "shared",
                                                "planned", "with programs", "fits here");
}

std::string row(const Job& job, const MachineLimits& limits) {
  const MemoryPlan& plan = job.plan;
  const bool fits = !find_shortage(plan, limits);
  return fmt::format(kRow, job.topology.ranks(), job.hosts(), human_bytes(plan.rank_bytes),
                     human_bytes(plan.shared_bytes), human_bytes(plan.host_bytes),
                     human_bytes(plan.expected_host_bytes()), fits ? "yes" : "no");
}

std::string describe_limits(const MachineLimits& limits) {
  std::string text =
      fmt::format("a program and its libraries: {} a rank; this host leaves {} ({})\n",
                  human_bytes(kProcessBytes), human_bytes(limits.host.bytes), limits.host.source);
  for (const auto& limit : {limits.process.data, limits.process.address_space}) {
    if (!limit) continue;
    text += fmt::format("a process here may take {} ({})\n", human_bytes(limit->limit.bytes),
                        limit->limit.source);
  }
  return text;
}

/// All about one rank count.
std::string describe_one(const Config& config, const DryRun& request, const MachineLimits& limits,
                         std::size_t parameters) {
  const Job job = plan_job(config, request.ranks.front(), request);
  std::string text = describe_mode(config, job.topology) + "\n" + describe_precision(config) +
                     "\n" + describe_classes(job.plan, parameters) + header() + row(job, limits) +
                     describe_limits(limits);
  if (const auto shortage = find_shortage(job.plan, limits)) {
    text += explain(*shortage, job.plan, ways_to_fit(config, job.topology, 0, limits)) + "\n";
  }
  return text;
}

std::string compare(const Config& config, const DryRun& request, const MachineLimits& limits) {
  std::string text = header();
  for (const std::size_t ranks : request.ranks) {
    try {
      text += row(plan_job(config, ranks, request), limits);
    } catch (const Error& error) {
      text += fmt::format("{:>6}  {}\n", ranks, error.what());
    }
  }
  return text + describe_limits(limits);
}

}  // namespace

std::string dry_run(const Config& given, const DryRun& request) {
  Config config = given;
  config.validate_plan();
  config.model.vocabulary = data::Dataset{config.data.path}.info().vocabulary;
  const model::ParameterTable table{config.model};
  const auto limits = MachineLimits::here();
  return describe_model(config, table.total_numel()) + "\n" +
         (request.ranks.size() == 1 ? describe_one(config, request, limits, table.total_numel())
                                    : compare(config, request, limits));
}

}  // namespace ballast::train
