#include "train/plan/memory_fit.hpp"

#include <algorithm>
#include <bit>
#include <span>

#include "base/text.hpp"
#include "comm/agree.hpp"

namespace ballast::train {

namespace {

std::string largest_of(std::vector<MemoryPlan::Item> items) {
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

/// The plan of `job` with other settings, or on other ranks; nothing if these contradict one
/// another.
std::optional<MemoryPlan> try_plan(const Job& job, const Config& config, const Ranks& ranks) {
  try {
    return plan_memory(make_job(config, job.model.vocabulary, ranks).with_beside(job.beside));
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Another number of ranks on one host that fits the limits. With more ranks each holds less; with
/// fewer ranks all together hold less.
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
        try_plan(job, job.config, {fsdp::Topology::on_one_host(n), 0, job.ranks.thread_plan, {}});
    if (!plan || find_shortage(*plan, limits)) continue;
    return fmt::format("{} on this host: up to {} each, {} together",
                       n == 1 ? "1 rank" : fmt::format("{} ranks", n),
                       human_bytes(plan->rank_bytes), human_bytes(plan->expected_host_bytes()));
  }
  return std::nullopt;
}

}  // namespace

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
