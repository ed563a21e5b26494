#include "train/plan/memory_plan.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/text.hpp"
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

/// The private memory of one rank.
struct OwnMemory {
  std::uint64_t bytes = 0;
  Items items = no_items();

  void add(const Arena& arena) {
    bytes += arena.planned_bytes();
    train::add(items, arena);
  }
  void add(MemoryClass memory_class, std::uint64_t more) {
    bytes += more;
    train::add(items, memory_class, more);
  }
};

/// One model of a job, planned rank by rank as the Workspace of each would reserve it. The
/// transformer reserves the same on all ranks and is built once, so a thousand ranks are planned in
/// a moment.
class PlannedModel {
 public:
  /// `monitor`: the options of its monitor; null if it has none.
  PlannedModel(Blueprint blueprint, const monitor::MonitorOptions* monitor)
      : monitor_{monitor},
        blueprint_{std::move(blueprint)},
        gemm_{kernels::make_gemm(kernels::GemmTable::shipped())},
        operations_{*gemm_, blueprint_.options.precision.compute},
        model_{blueprint_.model, blueprint_.shape, blueprint_.options, operations_, model_memory_},
        reusable_{reusable_by_gradients(blueprint_, model_)} {}

  /// Adds a rank's part of the model to the plan of the host and to the rank's private memory.
  void add_rank(std::size_t rank, MemoryPlan& plan, OwnMemory& rank_memory);

 private:
  const monitor::MonitorOptions* monitor_;
  Blueprint blueprint_;
  std::unique_ptr<kernels::Gemm> gemm_;
  kernels::CpuOperations operations_;
  Arena model_memory_;
  model::Transformer model_;
  std::vector<Arena::Extent> reusable_;
  std::set<std::size_t> groups_;  ///< whose shared parts are counted, by first rank
};

void PlannedModel::add_rank(std::size_t rank, MemoryPlan& plan, OwnMemory& rank_memory) {
  fsdp::Needs needs;
  const fsdp::Policy& policy = blueprint_.policy;
  const fsdp::ShardLayout layout{model_.table(), blueprint_.mesh, rank};
  const fsdp::ShardedParameters parameters{layout, policy, blueprint_.transports, needs, reusable_};
  const OptimizerState optimizer{layout, policy, needs.own};
  const std::uint64_t monitor = monitor_ == nullptr ? 0 : monitor_bytes(*monitor_, layout);
  rank_memory.add(model_memory_);
  rank_memory.add(needs.own);
  rank_memory.add(MemoryClass::monitor, monitor);
  plan.gradients_in_activations +=
      layout.trained_numel() * sizeof(float) - needs.own.planned_bytes(MemoryClass::gradients);
  add(plan.host_items, MemoryClass::monitor, monitor);
  for (const Arena* arena : {&model_memory_, &needs.own}) add(plan.host_items, *arena);
  // What the ranks of a group share on this host is there once.
  const bool is_first = groups_.insert(blueprint_.mesh.first_of_group(rank)).second;
  for (const fsdp::RegionPart& part : needs.region_parts()) {
    if (part.holders == fsdp::Holders::first_of_group && !is_first) continue;
    add(plan.host_items, part.arena);
    plan.shared_bytes += part.arena.planned_bytes();
  }
}

/// Plans the ranks of a job one by one, each with all its models.
class Planner {
 public:
  Planner() { plan_.host_items = no_items(); }

  void add_model(Blueprint blueprint, const monitor::MonitorOptions* monitor) {
    models_.push_back(std::make_unique<PlannedModel>(std::move(blueprint), monitor));
  }
  /// To be called after all models were added.
  void add_rank(std::size_t rank) {
    OwnMemory own;
    for (const auto& model : models_) model->add_rank(rank, plan_, own);
    ++plan_.host_ranks;
    if (own.bytes <= plan_.rank_bytes) return;
    plan_.rank_bytes = own.bytes;
    plan_.rank_items = std::move(own.items);
  }
  [[nodiscard]] MemoryPlan finish() && {
    for (const auto& item : plan_.host_items) plan_.host_bytes += item.bytes;
    return std::move(plan_);
  }

 private:
  std::vector<std::unique_ptr<PlannedModel>> models_;
  MemoryPlan plan_;
};

/// Plans all ranks on the host of ranks.rank.
MemoryPlan plan_host(Planner& planner, const Ranks& ranks) {
  const auto& host_of = ranks.topology.host_of;
  for (std::size_t other = 0; other < host_of.size(); ++other) {
    if (host_of[other] == host_of[ranks.rank]) planner.add_rank(other);
  }
  return std::move(planner).finish();
}

}  // namespace

MemoryPlan plan_memory(const Job& job) {
  Planner planner;
  planner.add_model(make_blueprint(job), &job.monitor.options);
  for (const ReadOnlyModel& model : job.beside) {
    planner.add_model(make_blueprint(job, model), nullptr);
  }
  return plan_host(planner, job.ranks);
}

MemoryPlan plan_memory(const Blueprint& blueprint, const Ranks& ranks) {
  Planner planner;
  planner.add_model(blueprint, nullptr);
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

MemoryPlan plan_shards(const fsdp::ShardLayout& layout, const Ranks& ranks) {
  constexpr std::uint64_t kGranuleBytes = sizeof(float) * kGranule;
  MemoryPlan plan;
  plan.host_items = no_items();
  const auto& host_of = ranks.topology.host_of;
  for (std::size_t rank = 0; rank < layout.ranks(); ++rank) {
    if (host_of[rank] != host_of[layout.rank()]) continue;
    const std::uint64_t weights = kGranuleBytes * layout.owned_granules(rank);
    const std::uint64_t moments = 2 * kGranuleBytes * layout.owned_trained_granules(rank);
    add(plan.host_items, MemoryClass::parameters, weights);
    add(plan.host_items, MemoryClass::optimizer, moments);
    plan.host_bytes += weights + moments;
    ++plan.host_ranks;
    if (weights + moments < plan.rank_bytes) continue;
    plan.rank_bytes = weights + moments;
    plan.rank_items = no_items();
    add(plan.rank_items, MemoryClass::parameters, weights);
    add(plan.rank_items, MemoryClass::optimizer, moments);
  }
  return plan;
}

}  // namespace ballast::train
