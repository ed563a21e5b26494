#include "train/watch/shaping.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/gemm/gemm_factory.hpp"
#include "monitor/matrices.hpp"
#include "monitor/state_text.hpp"
#include "support/world.hpp"
#include "train/engine_in_job.hpp"
#include "train/small_dataset.hpp"
#include "train/watch/monitoring.hpp"

namespace ballast::train {
namespace {

using monitor::test::Matrix;
using test::world;

constexpr std::size_t kDim = 30;
constexpr std::size_t kLayers = 3;
constexpr std::uint64_t kStep = 200;

Config config_of(double alpha, ElementType param) {
  Config config;
  config.model.dim = kDim;
  config.model.layers = kLayers;
  config.model.heads = 5;
  config.model.kv_heads = 5;
  config.model.ffn = 101;
  config.model.init_std = 0.3;
  config.data.seq_len = 24;
  config.data.micro_batch = 2;
  config.data.leaf_micro_batches = 2;
  config.data.global_batch = 12;
  config.monitor.every = 5;
  config.monitor.tokens = 120;
  config.experimental.kss = alpha;
  config.precision.param = param;
  config.precision.scaler.initial = 256.0;
  return config;
}

/// What a micro-batch showed at a depth, and what was added to its gradient there.
struct Pass {
  std::vector<float> residual;
  std::vector<float> added;
  double norm_before = 0.0;
};

double norm_of(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

/// Stands between the model and the monitor's observer.
class Recorder final : public StepObserver {
 public:
  explicit Recorder(StepObserver& inner) : inner_{&inner} {}

  void before_micro_batch(std::uint64_t sample, const model::Batch& batch) override {
    passes_.emplace_back(kLayers + 1);
    inner_->before_micro_batch(sample, batch);
  }
  void before_blocks(std::span<const float> residual) override {
    passes_.back()[0].residual.assign(residual.begin(), residual.end());
    inner_->before_blocks(residual);
  }
  void after_block(std::size_t layer, std::span<const float> residual,
                   const model::AttentionSignals& attention) override {
    passes_.back()[layer + 1].residual.assign(residual.begin(), residual.end());
    inner_->after_block(layer, residual, attention);
  }
  void add_gradient(std::size_t layer, std::span<float> gradient) override {
    Pass& pass = passes_.back()[layer + 1];
    const std::vector<float> before(gradient.begin(), gradient.end());
    pass.norm_before = norm_of(before);
    // A gradient as long as the task's that lies in a token that is never sampled: what is added
    // then comes out unrounded.
    pass.added.assign(gradient.size(), 0.0f);
    pass.added[0] = static_cast<float>(pass.norm_before);
    inner_->add_gradient(layer, pass.added);
    pass.added[0] = 0.0f;
  }

  /// [micro-batches][depths]
  [[nodiscard]] const std::vector<std::vector<Pass>>& passes() const { return passes_; }

 private:
  StepObserver* inner_;
  std::vector<std::vector<Pass>> passes_;
};

/// One step of a job of one rank, in alarm since `alarm_age` steps.
struct Recorded {
  std::vector<std::vector<Pass>> passes;
  std::vector<std::vector<std::size_t>> tokens;  ///< that were sampled, by micro-batch
  double gradient_scale = 0.0;
};

Recorded record(const Config& config, std::uint64_t alarm_age) {
  comm::Communicator alone = world().split(world().rank());
  const SmallDataset data;
  EngineInJob training{config, alone, data.dataset()};
  auto state = training.initialize();
  state.step = kStep - 1;
  Monitoring monitoring{training.job.config, training.job.monitor, alone, training.model.gemm(),
                        training.model.layout()};
  monitor::MonitorState alarmed;
  alarmed.alarmed_since = kStep - alarm_age;
  alarmed.alarmed_until = kStep;
  monitoring.restore(monitor::to_json(alarmed), "test");

  auto watch = monitoring.begin(state, training.text);
  Recorder recorder{*watch.observer()};
  const StepResult result = training.engine.step(state, 1e-3, {}, {&recorder});
  const double nominal = static_cast<double>(config.data.global_batch * config.data.seq_len);
  Recorded recorded{recorder.passes(),
                    {},
                    result.loss_scale * static_cast<double>(result.loss.labels()) / nominal};
  // Rows that were added to at any depth are those that were sampled.
  for (const auto& pass : recorded.passes) {
    auto& tokens = recorded.tokens.emplace_back();
    for (std::size_t token = 0; token < pass[0].residual.size() / kDim; ++token) {
      const bool is_sampled = std::ranges::any_of(pass, [&](const Pass& at) {
        return !at.added.empty() && norm_of(std::span{at.added}.subspan(token * kDim, kDim)) > 0.0;
      });
      if (is_sampled) tokens.push_back(token);
    }
  }
  return recorded;
}

/// The sampled rows of what `part` names, over all micro-batches.
Matrix rows_of(const Recorded& recorded, std::size_t depth, std::vector<float> Pass::*part) {
  std::vector<double> values;
  std::size_t rows = 0;
  for (std::size_t micro = 0; micro < recorded.passes.size(); ++micro) {
    const auto& from = recorded.passes[micro][depth].*part;
    for (const std::size_t token : recorded.tokens[micro]) {
      for (std::size_t j = 0; j < kDim; ++j) values.push_back(double{from[token * kDim + j]});
      ++rows;
    }
  }
  Matrix matrix{rows, kDim};
  matrix.values = std::move(values);
  return matrix;
}

/// dL/dx and dL/dy of one block's samples.
struct Slopes {
  Matrix x, y;
  bool are_there;
};

Slopes slopes_of(const Matrix& x, const Matrix& y) {
  const auto moments = monitor::test::moments_of(x, y);
  monitor::SpectralSolver solver{kDim};
  static_cast<void>(solver.solve(moments));
  monitor::KssGradient gradient{kDim};
  monitor::KssOperator slope{kDim};
  const bool are_there = gradient.evaluate(solver, moments, {}, slope).has_gradient;
  const auto xs = monitor::test::as_floats(x), ys = monitor::test::as_floats(y);
  const std::vector<float> no_shift(kDim);
  const monitor::StreamRows from_x{{xs.data(), x.rows, kDim, kDim}, no_shift};
  std::vector<float> by_x(xs.size()), by_y(ys.size());
  gradient.differentiate_x(slope, from_x, {{ys.data(), y.rows, kDim, kDim}, no_shift}, by_x);
  gradient.differentiate_y(slope, from_x, by_y);
  Slopes slopes{{x.rows, kDim}, {x.rows, kDim}, are_there};
  std::ranges::copy(by_x, slopes.x.values.begin());
  std::ranges::copy(by_y, slopes.y.values.begin());
  return slopes;
}

/// How far what was added is from `factor` times the gradient of blocks `first` and `second`.
double miss(const Recorded& recorded, const std::vector<Slopes>& slopes, std::size_t first,
            std::size_t second, double factor) {
  double worst = 0.0;
  for (std::size_t depth = 1; depth <= kLayers; ++depth) {
    const Matrix added = rows_of(recorded, depth, &Pass::added);
    Matrix expected{added.rows, kDim};
    for (const std::size_t block : {first, second}) {
      if (block + 1 == depth) expected = monitor::test::plus(expected, factor, slopes[block].y);
      if (block == depth) expected = monitor::test::plus(expected, factor, slopes[block].x);
    }
    worst = std::max(worst, frobenius(monitor::test::plus(added, -1.0, expected)) /
                                (frobenius(expected) + 1e-30));
  }
  return worst;
}

TEST(Shaping, AddsTheGradientOfHalfTheBlocks) {
  constexpr double kAlpha = 1e-3;
  for (const auto param : {ElementType::fp32, ElementType::fp16}) {
    const Recorded recorded = record(config_of(kAlpha, param), 40);
    std::vector<Slopes> slopes;
    for (std::size_t block = 0; block < kLayers; ++block) {
      slopes.push_back(slopes_of(rows_of(recorded, block, &Pass::residual),
                                 rows_of(recorded, block + 1, &Pass::residual)));
      EXPECT_EQ(slopes.back().x.rows, 120u);
      // The text has fewer kinds of bytes than the stream has dimensions: what enters block 0 does
      // not span them.
      EXPECT_EQ(slopes.back().are_there, block > 0);
    }
    const double factor = kAlpha * 0.4 * recorded.gradient_scale / 2.0;
    EXPECT_GT(recorded.gradient_scale, param == ElementType::fp16 ? 200.0 : 0.8);
    const std::vector<double> misses{miss(recorded, slopes, 0, 1, factor),
                                     miss(recorded, slopes, 0, 2, factor),
                                     miss(recorded, slopes, 1, 2, factor)};
    EXPECT_EQ(std::ranges::count_if(misses, [](double m) { return m < 1e-3; }), 1)
        << misses[0] << " " << misses[1] << " " << misses[2];
  }
}

TEST(Shaping, StaysWellBelowTheTask) {
  const Recorded free = record(config_of(1e-3, ElementType::fp32), 100);
  const Recorded capped = record(config_of(1e6, ElementType::fp32), 100);
  std::size_t shaped = 0;
  for (std::size_t micro = 0; micro < capped.passes.size(); ++micro) {
    for (std::size_t depth = 1; depth <= kLayers; ++depth) {
      const Pass& pass = capped.passes[micro][depth];
      const double length = norm_of(pass.added);
      if (length == 0.0) continue;
      ++shaped;
      EXPECT_NEAR(length, Shaping::kCap * pass.norm_before, 1e-5 * length);
      EXPECT_LT(norm_of(free.passes[micro][depth].added), 0.5 * length);
    }
  }
  EXPECT_GE(shaped, 2 * capped.passes.size());
}

TEST(Shaping, OfWideStreamsIsTheTransposeOfTheirProjection) {
  constexpr std::size_t kWide = 270, kDirections = 9, kTokens = 70;
  const auto values = monitor::test::as_floats(monitor::test::normals(2 * kTokens, kWide, 3));
  monitor::ProbeRows rows{1, kWide, kTokens};
  std::vector<std::uint32_t> tokens(kTokens);
  for (std::size_t i = 0; i < kTokens; ++i) tokens[i] = static_cast<std::uint32_t>(i);
  rows.select(tokens);
  const auto entering = std::span{values}.first(kTokens * kWide);
  rows.keep(0, entering);
  rows.keep(1, std::span{values}.last(kTokens * kWide));
  const auto gemm = kernels::make_gemm(kernels::GemmTable::shipped());
  comm::Communicator alone = world().split(world().rank());
  monitor::SpectralProbe probe{{1, kWide, kDirections, kTokens, kTokens, 1}, *gemm};
  std::vector<monitor::SpectralFeatures> spectra;
  std::vector<std::vector<std::complex<double>>> eigenvalues;
  probe.measure(alone, rows, spectra, eigenvalues);

  const auto inside = monitor::test::as_floats(monitor::test::normals(kTokens, kDirections, 4));
  std::vector<float> lifted(kTokens * kWide, 1.0f);
  probe.lift(0, inside, lifted, kernels::Store::add);
  const auto projected = probe.pairs(rows, 0).x.rows;
  ASSERT_EQ(projected.rows, kTokens);
  double left = 0.0, right = 0.0;
  for (std::size_t i = 0; i < lifted.size(); ++i) {
    left += (double{lifted[i]} - 1.0) * double{entering[i]};
  }
  for (std::size_t i = 0; i < inside.size(); ++i) {
    right += double{inside[i]} * double{projected.data[i]};
  }
  EXPECT_NEAR(left, right, 1e-4 * norm_of(inside) * norm_of(entering));
  EXPECT_GT(std::abs(right), 1.0);
}

}  // namespace
}  // namespace ballast::train
