#include "train/memory_plan.hpp"

#include <algorithm>
#include <optional>

#include "base/memory_limit.hpp"
#include "base/narrow.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"

namespace ballast::train {

namespace {

using Items = std::vector<MemoryPlan::Item>;

Items no_items() {
  Items items;
  for (const MemoryClass memory_class : MemoryPlan::kClasses) items.push_back({memory_class, 0});
  return items;
}

void add(Items& items, const Arena& arena) {
  for (auto& item : items) item.bytes += arena.planned_bytes(item.memory_class);
}

/// Whether `rank` is the first of its host's ranks in its group: the one whose copy of the weights
/// counts.
bool leads_group_on_host(const fsdp::Topology& topology, const fsdp::Mesh& mesh, std::size_t rank) {
  const std::size_t first = mesh.first_of_group(rank);
  for (std::size_t other = first; other < rank; ++other) {
    if (topology.host_of[other] == topology.host_of[rank]) return false;
  }
  return true;
}

void add_rank(MemoryPlan& plan, const Workspace& workspace, const fsdp::Topology& topology,
              std::size_t rank) {
  const fsdp::Memory& memory = workspace.memory();
  add(plan.host_items, memory.own);
  add(plan.host_items, memory.rooms);
  plan.shared_bytes += memory.rooms.planned_bytes();
  if (memory.own.planned_bytes() > plan.rank_bytes) {
    plan.rank_bytes = memory.own.planned_bytes();
    plan.rank_items = no_items();
    add(plan.rank_items, memory.own);
  }
  ++plan.host_ranks;
  if (leads_group_on_host(topology, workspace.mesh(), rank)) {
    add(plan.host_items, memory.weights);
    plan.shared_bytes += memory.weights.planned_bytes();
  }
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
  if (config.parallel.recompute != "full") {
    add_remedy("parallel.recompute = full", [](Config& c) { c.parallel.recompute = "full"; });
  }
  if (config.data.micro_batch > 1 && config.data.leaf_micro_batches == 1) {
    add_remedy("data.micro_batch = 1", [](Config& c) { c.data.micro_batch = 1; });
    add_remedy("data.micro_batch = 1 and parallel.recompute = full", [](Config& c) {
      c.data.micro_batch = 1;
      c.parallel.recompute = "full";
    });
  }
  if (config.precision.param == ElementType::fp32) {
    add_remedy("precision.param = bf16", [](Config& c) { c.precision.param = ElementType::bf16; });
  }
  if (config.parallel.sharding != fsdp::Sharding::full) {
    add_remedy("parallel.sharding = full", [](Config& c) {
      c.parallel.sharding = fsdp::Sharding::full;
      c.parallel.shard_group.reset();
    });
  }
  return all;
}

/// What the remedies come to, of those whose `bytes` are within `limit`.
std::vector<std::string> remedies_within(const Config& config, const fsdp::Topology& topology,
                                         std::size_t rank, std::uint64_t limit,
                                         std::uint64_t (MemoryPlan::*bytes)() const) {
  std::vector<std::string> ways;
  for (const Remedy& remedy : remedies(config)) {
    const auto plan = plan_memory(remedy.config, topology, rank);
    if ((plan.*bytes)() > limit) continue;
    ways.push_back(fmt::format("{}: {}", remedy.name, human_bytes((plan.*bytes)())));
  }
  return ways;
}

/// The fewest ranks on one host whose plan per rank is within `limit`.
std::optional<std::size_t> ranks_that_fit(const Config& config, std::uint64_t limit) {
  for (std::size_t ranks = 2; ranks <= 1024; ranks *= 2) {
    if (config.parallel.shard_group && ranks % *config.parallel.shard_group != 0) continue;
    const auto topology = fsdp::Topology::on_one_host(ranks);
    if (plan_memory(config, topology, 0).expected_rank_bytes() <= limit) return ranks;
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const Items& items, std::uint64_t needed, const MemoryLimit& limit,
                         const std::string& who, const std::vector<std::string>& ways) {
  std::string text =
      fmt::format("{} needs {} of memory, but {} leaves {}; the largest items: {}", who,
                  human_bytes(needed), limit.source, human_bytes(limit.bytes), largest_of(items));
  if (ways.empty()) text += "\nno single setting makes it fit: use a smaller model, or more hosts";
  for (const auto& way : ways) text += "\n  would fit: " + way;
  throw usage_error("{}", text);
}

}  // namespace

MemoryPlan plan_memory(const Config& config, const fsdp::Topology& topology, std::size_t rank) {
  MemoryPlan plan;
  plan.host_items = no_items();
  for (std::size_t other = 0; other < topology.ranks(); ++other) {
    if (topology.host_of[other] != topology.host_of[rank]) continue;
    add_rank(plan, Workspace{make_blueprint(config), topology, other}, topology, other);
  }
  for (const auto& item : plan.host_items) plan.host_bytes += item.bytes;
  return plan;
}

std::string describe(const MemoryPlan& plan) {
  std::string text;
  for (const auto& item : plan.host_items) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name_of(item.memory_class),
                        human_bytes(item.bytes));
  }
  return text;
}

std::vector<std::string> ways_to_fit(const Config& config, const fsdp::Topology& topology,
                                     std::size_t rank, std::uint64_t limit) {
  return remedies_within(config, topology, rank, limit, &MemoryPlan::expected_host_bytes);
}

void require_memory(comm::Communicator& world, const Config& config,
                    const fsdp::Topology& topology) {
  const auto rank = narrow<std::size_t>(world.rank());
  comm::agree(world, "memory plan", [&] {
    const MemoryPlan plan = plan_memory(config, topology, rank);
    const MemoryLimit host = host_memory_limit();
    if (plan.expected_host_bytes() > host.bytes) {
      refuse(plan.host_items, plan.expected_host_bytes(), host,
             fmt::format("the job's {} rank(s) on this host", plan.host_ranks),
             ways_to_fit(config, topology, rank, host.bytes));
    }
    const auto process = process_memory_limit();
    if (!process || plan.expected_rank_bytes() <= process->bytes) return;
    auto ways =
        remedies_within(config, topology, rank, process->bytes, &MemoryPlan::expected_rank_bytes);
    if (const auto ranks = ranks_that_fit(config, process->bytes)) {
      ways.push_back(fmt::format("{} ranks", *ranks));
    }
    refuse(plan.rank_items, plan.expected_rank_bytes(), *process, "a rank", ways);
  });
}

}  // namespace ballast::train
