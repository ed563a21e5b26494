#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "kernels/gemm/gemm_factory.hpp"
#include "model/flop.hpp"
#include "train/engine_in_job.hpp"
#include "train/measure/ceilings.hpp"
#include "train/measure/profile_table.hpp"
#include "train/measure/profile_trace.hpp"
#include "train/plan_config.hpp"
#include "train/small_dataset.hpp"

namespace ballast::train {
namespace {

using test::uneven_config;
using test::world;

constexpr Ceilings kCeilings{.products = {4e9, 8e9, 1e9}, .memory = 2e9};
constexpr std::size_t kSteps = 3;

/// A few steps of a model on this rank, recorded; in one of them the last wave is short.
class Recorded {
 public:
  explicit Recorded(void (*change)(Config& config) = [](Config&) {})
      : config_{uneven_config(static_cast<std::size_t>(world().size()))} {
    config_.data.global_batch += config_.data.micro_batch;
    change(config_);
    const SmallDataset data;
    EngineInJob training{config_, world(), data.dataset(), &profile_};
    auto state = training.initialize();
    for (std::size_t i = 0; i < kSteps; ++i) training.engine.step(state, 1e-3);
    { const ProfileSpan after{&profile_, Region::checkpoint}; }
    events_ = profile_.last_steps(kSteps);
    const SpanNames names{training.job.model, training.model.layout().table()};
    table_ = make_profile_table(events_, names, kCeilings, config_.precision.param);
    trace_ = nlohmann::json::parse(to_trace(
        events_, names, {world().rank(), "a \"quoted\" host", events_.front().start_ns - 5000}));
  }

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const std::vector<ProfileEvent>& events() const { return events_; }
  [[nodiscard]] const ProfileTable& table() const { return table_; }
  [[nodiscard]] const nlohmann::json& trace() const { return trace_; }

  /// Micro-batches that this rank computed.
  [[nodiscard]] std::size_t micro_batches() const {
    return static_cast<std::size_t>(
        std::ranges::count(events_, Region::data_loading, &ProfileEvent::region));
  }
  [[nodiscard]] std::size_t calls(const std::string& name) const {
    std::size_t calls = 0;
    for (const ProfileRow& row : table_.rows) calls += row.name == name ? row.calls : 0;
    return calls;
  }

 private:
  Config config_;
  Profile profile_;
  std::vector<ProfileEvent> events_;
  ProfileTable table_;
  nlohmann::json trace_;
};

std::int64_t nanoseconds(const nlohmann::json& microseconds) {
  return std::llround(1000.0 * microseconds.get<double>());
}

TEST(ProfileTrace, IsOneTrackOfSpansThatNest) {
  const Recorded recorded;
  const auto& all = recorded.trace().at("traceEvents");
  std::size_t spans = 0;
  std::map<std::string, std::string> titles;
  std::vector<std::pair<std::int64_t, std::int64_t>> around;
  std::int64_t latest = 0;
  for (const auto& event : all) {
    EXPECT_EQ(event.at("pid"), world().rank());
    if (event.at("ph") == "M") {
      titles[event.at("name")] = event.at("args").value("name", "");
      continue;
    }
    ASSERT_EQ(event.at("ph"), "X");
    ++spans;
    const std::int64_t start = nanoseconds(event.at("ts"));
    const std::int64_t end = start + nanoseconds(event.at("dur"));
    EXPECT_GE(start, latest) << event;
    latest = start;
    while (!around.empty() && around.back().second <= start) around.pop_back();
    if (!around.empty()) {
      EXPECT_LE(end, around.back().second) << event;
    }
    around.emplace_back(start, end);
  }
  EXPECT_EQ(spans, recorded.events().size());
  EXPECT_EQ(titles.at("process_name"), fmt::format("rank {} (a \"quoted\" host)", world().rank()));
  EXPECT_EQ(titles.at("thread_name"), "compute");
}

TEST(ProfileTrace, NamesWhatAPersonLooksFor) {
  const Recorded recorded;
  std::map<std::string, nlohmann::json> by_name;
  for (const auto& event : recorded.trace().at("traceEvents")) by_name[event.at("name")] = event;
  for (const char* name :
       {"step 1", "step 3", "forward", "backward", "block 4", "block backward 0", "gather head",
        "reduce block.2", "optimizer block.4", "attention", "q, out NT", "k, v TN", "gate, up NN",
        "down TN", "head NT", "data", "verdict", "gradient norm"}) {
    EXPECT_TRUE(by_name.contains(name)) << name;
  }
  EXPECT_EQ(by_name.at("step 1").at("ts"), 5.0);
  EXPECT_EQ(by_name.at("k, v TN").at("cat"), "product");
  EXPECT_EQ(by_name.at("k, v TN").at("args").at("m x n x k"), "12 x 36 x 48 fp32");
}

TEST(ProfileTable, SharesAddUpToOne) {
  const Recorded recorded;
  const ProfileTable& table = recorded.table();
  EXPECT_EQ(table.steps, kSteps);
  double shares = 0.0, seconds = 0.0;
  for (const ProfileRow& row : table.rows) {
    EXPECT_GE(row.seconds, 0.0) << row.name;
    shares += row.share;
    seconds += row.seconds;
  }
  EXPECT_NEAR(shares, 1.0, 1e-9);
  EXPECT_NEAR(seconds, kSteps * table.step_s, 1e-9);
  ASSERT_EQ(table.beside.size(), 1u);
  EXPECT_EQ(table.beside.front().calls, 1u);
  EXPECT_TRUE(std::ranges::is_sorted(table.rows, std::greater{}, &ProfileRow::seconds));
}

TEST(ProfileTable, CountsEveryCallOfAStep) {
  const Recorded recorded;
  const std::size_t blocks = recorded.micro_batches() * recorded.config().model.layers;
  ASSERT_GT(blocks, 0u);
  EXPECT_EQ(recorded.calls("q, out NT"), 2 * blocks);
  EXPECT_EQ(recorded.calls("k, v NN"), 2 * blocks);
  EXPECT_EQ(recorded.calls("gate, up TN"), 2 * blocks);
  EXPECT_EQ(recorded.calls("down NT"), blocks);
  EXPECT_EQ(recorded.calls("head TN"), recorded.micro_batches());
  EXPECT_EQ(recorded.calls("attention"), blocks);
  EXPECT_EQ(recorded.calls("attention backward"), blocks);
  EXPECT_EQ(recorded.calls("swiglu backward"), blocks);
  // The residual between the sublayers comes with the norm behind it.
  EXPECT_EQ(recorded.calls("residual"), blocks);
  // The backward normalizes each sublayer's input again.
  EXPECT_EQ(recorded.calls("norm"), 4 * blocks + recorded.micro_batches());
  EXPECT_EQ(recorded.calls("verdict"), kSteps);
  EXPECT_EQ(recorded.calls("optimizer"), kSteps * (recorded.config().model.layers + 2));
}

TEST(ProfileTable, ArithmeticAddsUpToTheModels) {
  const Recorded recorded;
  const Config& config = recorded.config();
  double flop = 0.0;
  for (const ProfileRow& row : recorded.table().rows) flop += row.work.flop;
  const auto tokens =
      static_cast<double>(recorded.micro_batches() * config.data.micro_batch * config.data.seq_len);
  const double expected =
      tokens * model::training_flop_per_token(test::model_on_bytes(config), config.data.seq_len);
  EXPECT_NEAR(flop, expected, 1e-9 * expected);
}

TEST(ProfileTable, RatesAreHeldAgainstTheirCeilings) {
  const Recorded recorded{[](Config& config) { config.precision.param = ElementType::bf16; }};
  for (const ProfileRow& row : recorded.table().rows) {
    if (row.name == "down NT" || row.name == "attention") {
      EXPECT_EQ(row.ceiling, kCeilings.products_of(ElementType::bf16)) << row.name;
      EXPECT_NEAR(row.rate, row.work.flop / row.seconds, 1e-6 * row.rate);
    } else if (row.name == "optimizer") {
      EXPECT_EQ(row.ceiling, kCeilings.memory);
      EXPECT_NEAR(row.rate, row.work.bytes / row.seconds, 1e-6 * row.rate);
    } else if (row.name == "verdict") {
      EXPECT_EQ(row.rate, 0.0);
    }
  }
  const std::string text = to_text(recorded.table());
  for (const char* part : {"down NT", "48 x 36 x 101 bf16", "optimizer", "100.0%"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Profile, SpansCoverAStep) {
  const Recorded recorded;
  for (const ProfileRow& row : recorded.table().rows) {
    if (row.name == "step: the rest") {
      EXPECT_LT(row.share, 0.1);
    }
  }
}

TEST(Profile, RecomputationIsASpanOfItsOwn) {
  const Recorded recorded{
      [](Config& config) { config.parallel.recompute = model::RecomputePolicy::full(); }};
  // The last block finds its activations still there.
  const std::size_t recomputed = recorded.micro_batches() * (recorded.config().model.layers - 1);
  EXPECT_EQ(recorded.calls("recompute: the rest"), recomputed);
  EXPECT_EQ(recorded.calls("attention"),
            recorded.micro_batches() * recorded.config().model.layers + recomputed);
}

TEST(Ceilings, AreTheSameOnEveryRankAndAboveZero) {
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  const Config config = uneven_config(1);
  const Ceilings ceilings =
      measure_ceilings(world(), *gemm, test::model_on_bytes(config), {2, 24}, ElementType::bf16);
  for (const ElementType type : {ElementType::bf16, ElementType::fp32}) {
    EXPECT_GT(ceilings.products_of(type), 0.0);
  }
  EXPECT_EQ(ceilings.products_of(ElementType::fp16), 0.0);
  EXPECT_GT(ceilings.memory, 0.0);
  const std::string own = fmt::format("{} {}", describe(ceilings), ceilings.memory);
  for (const auto& text : world().gather_texts(own, {"ceilings"})) EXPECT_EQ(text, own);
}

TEST(TrainingFlop, IsTheFormulaOfTheBenchModel) {
  const model::ModelConfig bench{
      .vocabulary = 4096, .dim = 512, .layers = 8, .heads = 8, .kv_heads = 8, .ffn = 1376};
  // 27.4 million parameters in products, and attention.
  EXPECT_EQ(model::training_flop_per_token(bench, 256),
            6.0 * (8 * (4 * 512 * 512 + 3 * 512 * 1376) + 4096 * 512) + 6.0 * 8 * 256 * 512);
}

}  // namespace
}  // namespace ballast::train
