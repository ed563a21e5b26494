#include "model/step_program.hpp"

#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "reference/variants.hpp"
#include "support/production_model.hpp"

namespace ballast::model {
namespace {

using test::as_model_batch;
using test::ProductionModel;

constexpr std::size_t kSequences = 2;
constexpr std::size_t kSeqLen = 7;

ModelConfig five_blocks() {
  auto config = reference::tiny_shape();
  config.layers = 5;
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

TEST(StepProgram, IsWhatTheModelDoes) {
  const auto config = five_blocks();
  const auto batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 8);
  for (const auto& grouping : groupings()) {
    for (const auto& recompute : {RecomputePolicy::none(), RecomputePolicy::every(2)}) {
      ProductionModel production{config,
                                 {kSequences, kSeqLen},
                                 {.recompute = recompute, .grouping = grouping},
                                 reference::random_parameters(config, 7)};
      const auto& table = production.transformer().table();
      Recorder recorder{production.parameters()};

      production.transformer().forward_backward(as_model_batch(batch), recorder, 1.0f);
      EXPECT_EQ(recorder.visits, training_program(table));

      recorder.visits.clear();
      std::vector<float> nll(kSequences * kSeqLen);
      production.transformer().forward(as_model_batch(batch), recorder, nll);
      EXPECT_EQ(recorder.visits, evaluation_program(table));
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

TEST(StepProgram, EndsTheRootWithoutItsParameters) {
  const ParameterTable table{five_blocks(), {{2, 3}}};
  const Visit forward_root{kRootUnit, Pass::forward, Gradient::none};
  EXPECT_EQ(training_program(table),
            (StepProgram{forward_root,
                         {1, Pass::forward, Gradient::none},
                         {1, Pass::forward, Gradient::none},
                         {2, Pass::forward, Gradient::none},
                         {2, Pass::forward, Gradient::none},
                         {2, Pass::forward, Gradient::none},
                         {kRootUnit, Pass::backward, Gradient::partial},
                         {2, Pass::backward, Gradient::partial},
                         {2, Pass::backward, Gradient::partial},
                         {2, Pass::backward, Gradient::complete},
                         {1, Pass::backward, Gradient::partial},
                         {1, Pass::backward, Gradient::complete},
                         {kRootUnit, Pass::backward, Gradient::complete, false}}));
}

}  // namespace
}  // namespace ballast::model
