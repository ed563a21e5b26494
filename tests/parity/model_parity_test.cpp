#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "optim/adamw.hpp"
#include "optim/clip.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"
#include "support/production_model.hpp"

#include "parity/torch_case.hpp"

namespace ballast::parity {
namespace {

using test::ProductionModel;

constexpr std::size_t kSequences = 2;
constexpr std::size_t kSeqLen = 19;
constexpr unsigned kSteps = 10;

/// Larger than the tiny shape: sums are long enough for fp32 rounding to show.
model::ModelConfig shape() {
  auto config = reference::tiny_shape();
  config.vocabulary = 67;
  config.dim = 48;
  config.heads = 6;
  config.ffn = 85;
  config.layers = 3;
  return config;
}

/// Where weights have small gradients, AdamW shows every rounding of them: behind norms of results,
/// and where a soft cap is nearly reached.
bool is_delicate(const model::ModelConfig& config) {
  return config.has_output_norms() || config.logit_softcap > 0.0f;
}

std::vector<TorchCase> cases() {
  std::vector<TorchCase> all;
  for (const auto& [name, config] : reference::chosen_variants(shape(), 3)) {
    all.push_back(
        {.config = config,
         .batch = reference::random_batch(config.vocabulary, kSequences, kSeqLen, 21),
         .parameters = reference::random_parameters(config, 20),
         .optimizer =
             {.lr = 3e-3, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = 0.1},
         .steps = kSteps,
         .clip = 1.0});
  }
  return all;
}

/// The production optimizer on whole parameters, as the trainer drives it on shards.
class Optimizer {
 public:
  Optimizer(const TorchCase& c, ProductionModel& production)
      : case_{&c},
        production_{&production},
        moment1_(production.parameters().all_values().size()),
        moment2_(moment1_.size()),
        groups_{decay_groups(production.transformer().table())},
        adamw_{{c.optimizer.beta1, c.optimizer.beta2, c.optimizer.epsilon,
                c.optimizer.weight_decay}} {}

  void step(unsigned t) {
    production_->parameters().clear_gradients();
    const auto sums = production_->forward_backward(case_->batch);
    const double per_label = 1.0 / sums.weight();
    double squares = 0.0;
    for (const auto& [name, gradient] : production_->gradients()) {
      squares += reference::dot(gradient, gradient);
    }
    const double clip = optim::clip_factor(std::sqrt(squares) * per_label, case_->clip);
    adamw_.update(t, case_->optimizer.lr, per_label * clip, groups_,
                  {production_->parameters().all_gradients(),
                   {0, production_->parameters().all_values(), {}, {}},
                   moment1_,
                   moment2_});
  }

 private:
  static std::vector<optim::Group> decay_groups(const model::ParameterTable& table) {
    std::vector<optim::Group> result;
    for (const auto& parameter : table.parameters()) {
      result.push_back({parameter.first_granule * kGranule, parameter.numel,
                        parameter.decay == model::Decay::yes});
    }
    return result;
  }

  const TorchCase* case_;
  ProductionModel* production_;
  std::vector<float> moment1_, moment2_;
  std::vector<optim::Group> groups_;
  optim::AdamW adamw_;
};

TEST(ModelParity, LossGradientsAndTenAdamWStepsMatchTorch) {
  const auto all = cases();
  const auto results = run_torch(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    const auto& expected = results[i];
    ProductionModel production{all[i].config, {kSequences, kSeqLen}, {}, all[i].parameters};

    const auto sums = production.forward_backward(all[i].batch);
    EXPECT_NEAR(sums.mean(), expected.loss, 1e-6 * expected.loss);
    auto gradients = production.gradients();
    for (auto& [name, gradient] : gradients) {
      for (double& g : gradient) g /= sums.weight();
    }
    reference::expect_near(gradients, expected.gradients, {1e-5, 1e-7});

    Optimizer optimizer{all[i], production};
    for (unsigned t = 1; t <= kSteps; ++t) optimizer.step(t);
    // How far the weights moved, not where they are, is what the steps decide.
    reference::expect_near(reference::difference(production.values(), all[i].parameters),
                           reference::difference(expected.weights, all[i].parameters),
                           {is_delicate(all[i].config) ? 5e-3 : 3e-4, 1e-5});
  }
}

}  // namespace
}  // namespace ballast::parity
