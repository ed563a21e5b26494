#include "train/plan/memory_plan.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include "base/text.hpp"
#include "comm/agree.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"

namespace ballast::train {

namespace {

using Items = std::vector<MemoryPlan::Item>;

Items no_items() {
  Items items;
  for (const MemoryClass memory_class : MemoryPlan::kClasses) items.push_back({memory_class, 0});
  return items;
}

void add(Items& items, MemoryClass memory_class, std::uint64_t bytes) {
  std::ranges::find(items, memory_class, &MemoryPlan::Item::memory_class)->bytes += bytes;
}

void add(Items& items, const Arena& arena) {
  for (auto& item : items) item.bytes += arena.planned_bytes(item.memory_class);
}

/// Plans the ranks of a job one by one, as each one's Workspace reserves. The model reserves the
/// same on all of them and is built once, so that a thousand ranks take a moment.
class Planner {
 public:
  /// `monitor`: what watches the steps; null where nothing does.
  Planner(Blueprint blueprint, const monitor::MonitorOptions* monitor)
      : monitor_{monitor},
        blueprint_{std::move(blueprint)},
        gemm_{kernels::make_gemm(kernels::GemmTable::shipped())},
        operations_{*gemm_, blueprint_.options.precision.compute},
        model_{blueprint_.model, blueprint_.shape, blueprint_.options, operations_, model_memory_},
        loans_{loans_to_gradients(blueprint_, model_)} {
    plan_.host_items = no_items();
  }

  void add_rank(std::size_t rank);
  [[nodiscard]] MemoryPlan finish() &&;

 private:
  void note_largest(const Arena& own, std::uint64_t monitor);

  const monitor::MonitorOptions* monitor_;
  Blueprint blueprint_;
  std::unique_ptr<kernels::Gemm> gemm_;
  kernels::CpuOperations operations_;
  Arena model_memory_;
  model::Transformer model_;
  std::vector<Arena::Extent> loans_;
  std::set<std::size_t> groups_;  ///< whose copy of the weights is counted, by first rank
  MemoryPlan plan_;
};

/// `own`: what a rank has to itself besides its model and its monitor.
void Planner::note_largest(const Arena& own, std::uint64_t monitor) {
  const std::uint64_t bytes = model_memory_.planned_bytes() + own.planned_bytes() + monitor;
  if (bytes <= plan_.rank_bytes) return;
  plan_.rank_bytes = bytes;
  plan_.rank_items = no_items();
  add(plan_.rank_items, model_memory_);
  add(plan_.rank_items, own);
  add(plan_.rank_items, MemoryClass::monitor, monitor);
}

void Planner::add_rank(std::size_t rank) {
  fsdp::Memory memory;
  const fsdp::Policy& policy = blueprint_.policy;
  const fsdp::ShardLayout layout{model_.table(), blueprint_.mesh, rank};
  const fsdp::ShardedParameters parameters{layout, policy, blueprint_.transports, memory, loans_};
  const OptimizerState optimizer{layout, policy, memory.own};
  const std::uint64_t monitor = monitor_ == nullptr ? 0 : monitor_bytes(*monitor_, layout);
  note_largest(memory.own, monitor);
  plan_.gradients_in_activations +=
      layout.trained_numel() * sizeof(float) - memory.own.planned_bytes(MemoryClass::gradients);
  add(plan_.host_items, MemoryClass::monitor, monitor);
  for (const Arena* arena : {&model_memory_, &memory.own, &memory.rooms}) {
    add(plan_.host_items, *arena);
  }
  plan_.shared_bytes += memory.rooms.planned_bytes();
  ++plan_.host_ranks;
  // Where weights lie in the region, a group is on one host and has one copy of them.
  if (groups_.insert(blueprint_.mesh.first_of_group(rank)).second) {
    add(plan_.host_items, memory.weights);
    plan_.shared_bytes += memory.weights.planned_bytes();
  }
}

MemoryPlan Planner::finish() && {
  for (const auto& item : plan_.host_items) plan_.host_bytes += item.bytes;
  return std::move(plan_);
}

/// All ranks of the own rank's host.
MemoryPlan plan_host(Planner& planner, const Ranks& ranks) {
  const auto& host_of = ranks.topology.host_of;
  for (std::size_t other = 0; other < host_of.size(); ++other) {
    if (host_of[other] == host_of[ranks.rank]) planner.add_rank(other);
  }
  return std::move(planner).finish();
}

std::string largest_of(Items items) {
  std::ranges::sort(items, std::ranges::greater{}, &MemoryPlan::Item::bytes);
  std::string text;
  for (const auto& item : std::span{items}.first(3)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name_of(item.memory_class),
                        human_bytes(item.bytes));
  }
  return text;
}

/// A change of settings, and its name.
struct Remedy {
  std::string name;
  Config config;
};

std::vector<Remedy> remedies(const Config& config) {
  std::vector<Remedy> all;
  const auto add_remedy = [&](std::string name, const auto& change) {
    all.push_back({std::move(name), config});
    change(all.back().config);
  };
  if (config.parallel.sharding != fsdp::Sharding::full) {
    add_remedy("parallel.sharding = full", [](Config& c) {
      c.parallel.sharding = fsdp::Sharding::full;
      c.parallel.shard_group.reset();
    });
  }
  if (config.parallel.wrap != model::Wrap::block()) {
    add_remedy("parallel.wrap = block", [](Config& c) { c.parallel.wrap = model::Wrap::block(); });
  }
  const auto recompute_all = [](Config& c) {
    c.parallel.recompute = model::RecomputePolicy::full();
  };
  if (config.parallel.recompute != model::RecomputePolicy::full()) {
    add_remedy("parallel.recompute = full", recompute_all);
  }
  if (config.data.micro_batch > 1 && config.data.leaf_micro_batches == 1) {
    add_remedy("data.micro_batch = 1", [](Config& c) { c.data.micro_batch = 1; });
    add_remedy("data.micro_batch = 1 and parallel.recompute = full", [&](Config& c) {
      c.data.micro_batch = 1;
      recompute_all(c);
    });
  }
  if (config.precision.param == ElementType::fp32) {
    add_remedy("precision.param = bf16", [](Config& c) { c.precision.param = ElementType::bf16; });
  }
  return all;
}

/// The plan of `job` with other settings, or on other ranks, unless these contradict one another.
std::optional<MemoryPlan> try_plan(const Job& job, const Config& config, const Ranks& ranks) {
  try {
    return plan_memory(make_job(config, job.model.vocabulary, ranks));
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Another number of ranks on one host that keeps within the limits: more of them hold less each,
/// fewer hold less together.
std::optional<std::string> ranks_that_fit(const Job& job, std::size_t ranks,
                                          const MachineLimits& limits, Shortage::Whose whose) {
  constexpr std::size_t kMost = 1024;
  const bool upwards = whose == Shortage::Whose::process;
  // The powers of two above, or below.
  const auto next = [&](std::size_t n) {
    return upwards ? std::bit_ceil(n + 1) : std::bit_floor(n - 1);
  };
  for (std::size_t n = next(ranks); n >= 1 && n <= kMost; n = next(n)) {
    const auto plan =
        try_plan(job, job.config, {fsdp::Topology::on_one_host(n), 0, job.ranks.crew, {}});
    if (!plan || find_shortage(*plan, limits)) continue;
    return fmt::format("{} on this host: up to {} each, {} together",
                       n == 1 ? "1 rank" : fmt::format("{} ranks", n),
                       human_bytes(plan->rank_bytes), human_bytes(plan->expected_host_bytes()));
  }
  return std::nullopt;
}

}  // namespace

MemoryPlan plan_memory(const Job& job) {
  Planner planner{make_blueprint(job), &job.monitor.options};
  return plan_host(planner, job.ranks);
}

MemoryPlan plan_memory(const Blueprint& blueprint, const Ranks& ranks) {
  Planner planner{blueprint, nullptr};
  return plan_host(planner, ranks);
}

std::string describe(const MemoryPlan& plan) {
  std::string text;
  for (const auto& item : plan.host_items) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name_of(item.memory_class),
                        human_bytes(item.bytes));
  }
  return text;
}

std::optional<Shortage> find_shortage(const MemoryPlan& plan, const MachineLimits& limits) {
  using Whose = Shortage::Whose;
  if (plan.expected_host_bytes() > limits.host.bytes) {
    return Shortage{Whose::host, plan.expected_host_bytes(), limits.host};
  }
  const auto exceeded = [](std::uint64_t planned,
                           const std::optional<ProcessLimit>& own) -> std::optional<Shortage> {
    if (!own) return std::nullopt;
    const std::uint64_t needed = planned + std::max(kProcessBytes, own->in_use + kProcessBytes / 2);
    if (needed <= own->limit.bytes) return std::nullopt;
    return Shortage{Whose::process, needed, own->limit};
  };
  if (auto shortage = exceeded(plan.rank_bytes, limits.process.data)) return shortage;
  return exceeded(plan.rank_bytes + plan.shared_bytes, limits.process.address_space);
}

std::vector<std::string> ways_to_fit(const Job& job, const MachineLimits& limits) {
  std::vector<std::string> ways;
  for (const Remedy& remedy : remedies(job.config)) {
    const auto plan = try_plan(job, remedy.config, job.ranks);
    if (!plan || find_shortage(*plan, limits)) continue;
    ways.push_back(fmt::format("{}: up to {} a rank, {} together", remedy.name,
                               human_bytes(plan->rank_bytes),
                               human_bytes(plan->expected_host_bytes())));
  }
  const auto plan = plan_memory(job);
  const auto shortage = find_shortage(plan, limits);
  if (!shortage) return ways;
  if (auto way = ranks_that_fit(job, plan.host_ranks, limits, shortage->whose)) {
    ways.push_back(std::move(*way));
  }
  return ways;
}

std::string explain(const Shortage& shortage, const MemoryPlan& plan,
                    const std::vector<std::string>& ways) {
  const bool of_host = shortage.whose == Shortage::Whose::host;
  const std::string who =
      of_host ? fmt::format("the job's {} rank(s) on this host", plan.host_ranks) : "a rank";
  std::string text = fmt::format("{} needs {} of memory, but {} leaves {}; the largest items: {}",
                                 who, human_bytes(shortage.needed), shortage.limit.source,
                                 human_bytes(shortage.limit.bytes),
                                 largest_of(of_host ? plan.host_items : plan.rank_items));
  if (ways.empty())
    text += "\n  no single setting makes it fit: use a smaller model, or more hosts";
  for (const auto& way : ways) text += "\n  would fit: " + way;
  return text;
}

MemoryPlan plan_generation(const model::ModelConfig& config, std::size_t context) {
  const model::ParameterTable table{config};
  const std::uint64_t cached = 2 * config.layers * context * config.kv_dim();
  MemoryPlan plan;
  plan.host_items = no_items();
  add(plan.host_items, MemoryClass::parameters, sizeof(float) * table.total_granules() * kGranule);
  add(plan.host_items, MemoryClass::activations, sizeof(float) * cached);
  plan.rank_items = plan.host_items;
  for (const auto& item : plan.host_items) plan.host_bytes += item.bytes;
  plan.rank_bytes = plan.host_bytes;
  plan.host_ranks = 1;
  return plan;
}

void require_fits(const MemoryPlan& plan) {
  const auto shortage = find_shortage(plan, MachineLimits::here());
  if (shortage) throw usage_error("{}", explain(*shortage, plan, {}));
}

MemoryPlan require_memory(comm::Communicator& world, const Job& job) {
  return comm::agree_on<MemoryPlan>(world, "memory plan", [&] {
    MemoryPlan plan = plan_memory(job);
    const auto limits = MachineLimits::here();
    const auto shortage = find_shortage(plan, limits);
    if (!shortage) return plan;
    throw usage_error("{}", explain(*shortage, plan, ways_to_fit(job, limits)));
  });
}

MemoryPlan require_memory(comm::Communicator& world, const Blueprint& blueprint,
                          const Ranks& ranks) {
  return comm::agree_on<MemoryPlan>(world, "memory plan", [&] {
    MemoryPlan plan = plan_memory(blueprint, ranks);
    require_fits(plan);
    return plan;
  });
}

}  // namespace ballast::train
