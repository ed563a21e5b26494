#include "model/step_program.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using test::as_model_batch;
using test::ProductionModel;

constexpr UnitId kEmbedding = 0;
constexpr std::size_t kSequences = 2;
constexpr std::size_t kSeqLen = 7;

ModelConfig five_blocks() {
  auto config = reference::tiny_shape();
  config.layers = 5;
  return config;
}

ModelConfig tied(ModelConfig config) {
  config.tie_embeddings = true;
  return config;
}

std::vector<Grouping> groupings() {
  return {Grouping::per_block(5),
          Grouping::blocks(5, 2),
          Grouping::blocks(5, 5),
          {{3, 1, 1}},
          Grouping::whole()};
}

/// Passes everything on and writes down the order of the visits.
class Recorder final : public ParameterSource {
 public:
  explicit Recorder(WholeParameters& parameters) : parameters_{&parameters} {}

  ConstElements acquire(UnitId unit) override {
    visits.push_back({unit, Pass::forward, Gradient::none});
    leased_ = true;
    return parameters_->acquire(unit);
  }
  void release(UnitId) override { leased_ = false; }
  GradientRoom gradient_room(UnitId unit) override {
    if (!leased_) visits.push_back({unit, Pass::backward, Gradient::partial, false});
    EXPECT_EQ(visits.back().unit, unit);
    visits.back().pass = Pass::backward;
    visits.back().gradient = Gradient::partial;
    return parameters_->gradient_room(unit);
  }
  void gradient_ready(UnitId unit) override {
    EXPECT_EQ(visits.back().unit, unit);
    visits.back().gradient = Gradient::complete;
  }

  StepProgram visits;

 private:
  WholeParameters* parameters_;
  bool leased_ = false;
};

/// What a source sees of visits: not their depth, and without a gradient not their pass.
StepProgram as_seen(StepProgram program) {
  for (Visit& visit : program) {
    visit.depth = 0;
    if (visit.gradient == Gradient::none) visit.pass = Pass::forward;
  }
  return program;
}

void expect_program(const ModelConfig& config, const TransformerOptions& options) {
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 8);
  ProductionModel production{
      config, {kSequences, kSeqLen}, options, reference::random_parameters(config, 7)};
  const auto& table = production.transformer().table();
  Recorder recorder{production.parameters()};

  production.transformer().forward_backward(as_model_batch(batch), recorder, 1.0f);
  EXPECT_EQ(recorder.visits, as_seen(training_program(table)));

  recorder.visits.clear();
  std::vector<float> nll(kSequences * kSeqLen);
  production.transformer().forward(as_model_batch(batch), recorder, nll);
  EXPECT_EQ(recorder.visits, as_seen(evaluation_program(table)));
}

TEST(StepProgram, IsWhatTheModelDoes) {
  for (const auto& config : {five_blocks(), tied(five_blocks())}) {
    for (const auto& grouping : groupings()) {
      expect_program(config, {.grouping = grouping});
      expect_program(config, {.recompute = RecomputePolicy::every(2), .grouping = grouping});
    }
  }
}

TEST(StepProgram, IsWhatTheModelDoesWithFrozenTensors) {
  for (const char* frozen :
       {"embedding", "*.attention_norm,*.w*", "[eh]*d*,final_norm", "block.[02].*", "block.*",
        "*.wq", "embedding,block.0.*,block.1.*", "[!f]*"}) {
    for (const auto& config : {five_blocks(), tied(five_blocks())}) {
      SCOPED_TRACE(frozen);
      for (const auto& grouping : groupings()) {
        expect_program(config, {.grouping = grouping, .freeze = Freeze::parse(frozen).value()});
      }
    }
  }
}

TEST(StepProgram, CompletesEveryUnitOnceAndAtItsLastVisit) {
  for (const auto& grouping : groupings()) {
    const ParameterTable table{five_blocks(), grouping};
    std::set<UnitId> complete;
    for (const Visit& visit : training_program(table)) {
      EXPECT_FALSE(complete.contains(visit.unit)) << "visited after its gradient was complete";
      if (visit.gradient == Gradient::complete) complete.insert(visit.unit);
    }
    EXPECT_EQ(complete.size(), table.units().size());
  }
}

TEST(StepProgram, EndsTheEmbeddingWithoutItsParameters) {
  const ParameterTable table{five_blocks(), {{2, 3}}};
  EXPECT_EQ(as_seen(training_program(table)),
            (StepProgram{{kEmbedding, Pass::forward, Gradient::none},
                         {2, Pass::forward, Gradient::none},
                         {2, Pass::forward, Gradient::none},
                         {3, Pass::forward, Gradient::none},
                         {3, Pass::forward, Gradient::none},
                         {3, Pass::forward, Gradient::none},
                         {1, Pass::backward, Gradient::complete},
                         {3, Pass::backward, Gradient::partial},
                         {3, Pass::backward, Gradient::partial},
                         {3, Pass::backward, Gradient::complete},
                         {2, Pass::backward, Gradient::partial},
                         {2, Pass::backward, Gradient::complete},
                         {kEmbedding, Pass::backward, Gradient::complete, false}}));
}

TEST(StepProgram, ATiedHeadIsBegunFirstAndCompleteLast) {
  const auto program = as_seen(training_program(ParameterTable{tied(five_blocks())}));
  const Visit loss{kEmbedding, Pass::backward, Gradient::partial};
  const Visit last{kEmbedding, Pass::backward, Gradient::complete, false};
  EXPECT_EQ(std::ranges::count(program, loss), 1);
  EXPECT_EQ(program.back(), last);
}

}  // namespace
}  // namespace ballast::model
