#include <algorithm>
#include <cstddef>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "reference/model.hpp"
#include "reference/nearness.hpp"
#include "reference/variants.hpp"

#include "parity/torch_case.hpp"

namespace ballast::parity {
namespace {

using reference::difference;
using reference::global_norm;

constexpr reference::Nearness kNear{1e-9, 1e-12};

/// Σ of the weights of labels that count.
double total_weight(const reference::Batch& batch) {
  double total = 0.0;
  for (std::size_t t = 0; t < batch.labels.size(); ++t) {
    total += reference::label_weight(batch.labels, batch.weights, t);
  }
  return total;
}

/// Gradients of the mean loss.
Tensors mean_gradients(const reference::Model<double>& model, const reference::Batch& batch) {
  Tensors gradients = model.gradients(batch);
  const double factor = 1.0 / total_weight(batch);
  for (auto& [name, values] : gradients) {
    for (double& value : values) value *= factor;
  }
  return gradients;
}

/// The parameters after the case's AdamW steps. PyTorch's clip_grad_norm_ adds 1e-6 to the norm.
Tensors train(const TorchCase& c) {
  reference::Model<double> model{c.config, c.parameters};
  const auto shapes = reference::parameter_shapes(c.config);
  Tensors moment1 = difference(c.parameters, c.parameters);
  Tensors moment2 = moment1;
  for (unsigned step = 1; step <= c.steps; ++step) {
    Tensors gradients = mean_gradients(model, c.batch);
    const double factor =
        c.clip > 0.0 ? std::min(1.0, c.clip / (global_norm(gradients) + 1e-6)) : 1.0;
    for (auto& [name, gradient] : gradients) {
      for (double& value : gradient) value *= factor;
      reference::AdamW options = c.optimizer;
      if (!reference::decays(shapes.at(name))) options.weight_decay = 0.0;
      reference::adamw(options, step, gradient, model.parameters().at(name), moment1.at(name),
                       moment2.at(name));
    }
  }
  return model.parameters();
}

model::ModelConfig odd_shape() {
  model::ModelConfig shape;
  shape.vocabulary = 29;
  shape.dim = 36;
  shape.layers = 2;
  shape.heads = 6;
  shape.ffn = 23;
  shape.rope.base = 50.0;
  shape.norm_epsilon = 1e-3f;
  return shape;
}

struct Comparison {
  std::string name;
  TorchCase input;
  TorchResult torch;
};

/// Every variant; every other one clips its gradients, every fifth has no loss weights.
std::vector<Comparison> run_every_variant() {
  std::vector<std::string> names;
  std::vector<TorchCase> cases;
  for (const auto& [name, config] : reference::all_variants(odd_shape(), 2)) {
    const std::size_t i = cases.size();
    TorchCase c{config,
                reference::random_batch(config.vocabulary, 3, 7, 2 * i),
                reference::random_parameters(config, 2 * i + 1),
                {.lr = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-5, .weight_decay = 0.1},
                10};
    if (i % 2 == 1) c.clip = 0.5;
    if (i % 5 == 4) c.batch.weights.clear();
    names.push_back(name);
    cases.push_back(c);
  }
  const std::vector<TorchResult> results = run_torch(cases);
  std::vector<Comparison> comparisons;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    comparisons.push_back({names[i], cases[i], results[i]});
  }
  return comparisons;
}

/// Made once: importing torch takes seconds.
const std::vector<Comparison>& comparisons() {
  static const std::vector<Comparison> made = run_every_variant();
  return made;
}

TEST(ReferenceParity, LossAndEveryGradientMatchPyTorch) {
  for (const auto& [name, c, torch] : comparisons()) {
    SCOPED_TRACE(name);
    const reference::Model<double> model{c.config, c.parameters};
    EXPECT_NEAR(model.loss(c.batch) / total_weight(c.batch), torch.loss, 1e-12 * torch.loss);
    expect_near(mean_gradients(model, c.batch), torch.gradients, kNear);
  }
}

TEST(ReferenceParity, TenAdamWStepsMatchPyTorch) {
  std::size_t clipped = 0;
  for (const auto& [name, c, torch] : comparisons()) {
    SCOPED_TRACE(name);
    expect_near(difference(train(c), c.parameters), difference(torch.weights, c.parameters), kNear);
    if (c.clip > 0.0 && global_norm(torch.gradients) > c.clip) ++clipped;
  }
  EXPECT_GT(clipped, comparisons().size() / 4);
}

}  // namespace
}  // namespace ballast::parity
