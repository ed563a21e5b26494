#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "monitor/state_text.hpp"
#include "train/engine_in_job.hpp"
#include "train/plan_config.hpp"
#include "train/small_dataset.hpp"
#include "train/watch/monitoring.hpp"

#include "allocation/count_allocations.hpp"

namespace ballast::train {
namespace {

using fsdp::Backend;
using fsdp::Sharding;
using test::uneven_config;
using test::world;

struct Variant {
  std::string name;
  void (*change)(Config& config);
};

const std::vector<Variant>& variants() {
  static const std::vector<Variant> kVariants{
      {"region", [](Config&) {}},
      {"region, bf16", [](Config& c) { c.precision.param = ElementType::bf16; }},
      {"region, bf16, queries and keys clipped",
       [](Config& c) {
         c.precision.param = ElementType::bf16;
         c.experimental.qk_clip = 1e-3;
       }},
      {"region, two micro-batches a leaf",
       [](Config& c) {
         c.data.micro_batch = 1;
         c.data.leaf_micro_batches = 2;
       }},
      {"region, three threads", [](Config& c) { c.parallel.threads = 3; }},
      {"messages, two threads, bf16",
       [](Config& c) {
         c.parallel.backend = Backend::mpi;
         c.parallel.threads = 2;
         c.precision.param = ElementType::bf16;
       }},
      {"messages", [](Config& c) { c.parallel.backend = Backend::mpi; }},
      {"messages, prefetch, bf16",
       [](Config& c) {
         c.parallel.backend = Backend::mpi;
         c.parallel.prefetch_units = 1;
         c.precision.param = ElementType::bf16;
       }},
      {"messages, prefetch, recompute, fp16",
       [](Config& c) {
         c.parallel.backend = Backend::mpi;
         c.parallel.prefetch_units = 1;
         c.parallel.recompute = model::RecomputePolicy::full();
         c.precision.param = ElementType::fp16;
       }},
      {"none", [](Config& c) { c.parallel.sharding = Sharding::none; }},
      {"none, messages",
       [](Config& c) {
         c.parallel.sharding = Sharding::none;
         c.parallel.backend = Backend::mpi;
       }},
      {"grad_op, messages",
       [](Config& c) {
         c.parallel.sharding = Sharding::grad_op;
         c.parallel.backend = Backend::mpi;
       }},
  };
  return kVariants;
}

/// What is read of a dataset stays decoded (up to 24 MiB), and a step that comes to a new part of
/// it makes room for that. So that steps do not, all of it is read once.
void read_all(const data::Dataset& dataset, std::size_t seq_len) {
  std::vector<std::int32_t> inputs(seq_len), labels(seq_len), segments(seq_len);
  std::vector<float> weights(seq_len);
  for (std::size_t i = 0; i < dataset.windows(data::Split::train, seq_len); ++i) {
    dataset.read_window(data::Split::train, seq_len, i, {inputs, labels, segments, weights});
  }
}

TEST(Step, AllocatesNothing) {
  constexpr int kWarmUp = 3;
  constexpr int kCounted = 3;
  const SmallDataset data;
  const data::Dataset& dataset = data.dataset();
  read_all(dataset, uneven_config(1).data.seq_len);
  for (const Variant& variant : variants()) {
    // A last wave in which all ranks but the first have no leaf.
    Config config = uneven_config(static_cast<std::size_t>(world().size()));
    config.data.global_batch += config.data.micro_batch;
    variant.change(config);
    Profile profile;
    EngineInJob training{config, world(), dataset, &profile};
    auto state = training.initialize();
    auto& engine = training.engine;
    for (int i = 0; i < kWarmUp; ++i) engine.step(state, 1e-3);
    std::size_t allocations = 0;
    {
      const test::CountAllocations count;
      for (int i = 0; i < kCounted; ++i) {
        engine.step(state, 1e-3);
        (void)training.model.groups().take_timings();
      }
      allocations = count.own();
      if (allocations != 0) count.print_first();
    }
    EXPECT_EQ(allocations, 0u) << variant.name;
  }
}

TEST(Step, ThatIsShapedAllocatesNothing) {
  constexpr std::uint64_t kStep = 200;
  const SmallDataset data;
  read_all(data.dataset(), uneven_config(1).data.seq_len);
  for (const std::size_t dim : {36u, 264u}) {
    Config config = uneven_config(static_cast<std::size_t>(world().size()));
    config.model.dim = dim;
    config.monitor.tokens = 100;
    config.experimental.kss = 0.15;
    EngineInJob training{config, world(), data.dataset()};
    auto state = training.initialize();
    auto& engine = training.engine;
    Monitoring monitoring{training.job.config, training.job.monitor, world(), training.model.gemm(),
                          training.model.layout()};
    monitor::MonitorState alarmed;
    alarmed.alarmed_until = 10 * kStep;
    monitoring.restore(monitor::to_json(alarmed), "test");
    std::size_t allocations = 0;
    for (int i = 0; i < 2; ++i) {  // the second counts
      state.step = kStep - 1;
      auto watch = monitoring.begin(state, training.text);
      const test::CountAllocations count;
      engine.step(state, 1e-3, {}, {watch.observer()});
      allocations = count.own();
      if (i == 1 && allocations != 0) count.print_first();
    }
    EXPECT_EQ(allocations, 0u) << dim;
  }
}

}  // namespace
}  // namespace ballast::train
