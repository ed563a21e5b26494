#include "train/plan/dry_run.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "data/dataset.hpp"
#include "train/plan/memory_fit.hpp"
#include "train/plan/summary.hpp"

namespace ballast::train {

namespace {

fsdp::Topology topology_of(std::size_t ranks, std::size_t ranks_per_host) {
  fsdp::Topology topology;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    topology.host_of.push_back(rank / ranks_per_host);
  }
  return topology;
}

/// The training to plan, and the vocabulary of its dataset.
struct Training {
  const Config& config;
  std::size_t vocabulary;
};

/// The job of the training on `ranks` ranks, on hosts like this one.
Job job_on(const Training& training, std::size_t ranks, const DryRun& request) {
  return make_job(training.config, training.vocabulary,
                  ranks_like_this_host(training.config.parallel,
                                       topology_of(ranks, request.ranks_per_host.value_or(ranks))));
}

/// Bytes of weights, gradients and optimizer over all ranks of the host, per parameter of the
/// model.
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
    text += fmt::format(
        "  another {} of gradients reuse memory of activations that the backward is done with\n",
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

std::string row(const fsdp::Topology& topology, const MemoryPlan& plan,
                const MachineLimits& limits) {
  const bool fits = !find_shortage(plan, limits);
  return fmt::format(kRow, topology.ranks(), topology.host_of.back() + 1,
                     human_bytes(plan.rank_bytes), human_bytes(plan.shared_bytes),
                     human_bytes(plan.host_bytes), human_bytes(plan.expected_host_bytes()),
                     fits ? "yes" : "no");
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

/// The plan for one rank count in detail.
std::string describe_one(const Training& training, const DryRun& request,
                         const MachineLimits& limits, std::size_t parameters) {
  const Job job = job_on(training, request.ranks.front(), request);
  const MemoryPlan plan = plan_memory(job);
  std::string text = describe_mode(job) + "\n" + describe_precision(job.config) + "\n" +
                     describe_classes(plan, parameters) + header() +
                     row(job.ranks.topology, plan, limits) + describe_limits(limits);
  if (const auto shortage = find_shortage(plan, limits)) {
    text += explain(*shortage, plan, ways_to_fit(job, limits)) + "\n";
  }
  return text;
}

std::string compare(const Training& training, const DryRun& request, const MachineLimits& limits) {
  std::string text = header();
  for (const std::size_t ranks : request.ranks) {
    try {
      const Job job = job_on(training, ranks, request);
      text += row(job.ranks.topology, plan_memory(job), limits);
    } catch (const Error& error) {
      text += fmt::format("{:>6}  {}\n", ranks, error.what());
    }
  }
  return text + describe_limits(limits);
}

}  // namespace

std::string dry_run(const Config& config, const DryRun& request) {
  config.validate_plan();
  const Training training{config, data::Dataset{config.data.path}.info().vocabulary};
  model::ModelConfig model = config.model;
  model.vocabulary = vocabulary_of(config.model, training.vocabulary);
  const model::Freeze& freeze = config.optim.freeze;
  const model::ParameterTable table{model, {}, freeze};
  const auto limits = MachineLimits::here();
  return describe_model(model, table, freeze) + "\n" +
         (request.ranks.size() == 1 ? describe_one(training, request, limits, table.total_numel())
                                    : compare(training, request, limits));
}

}  // namespace ballast::train
