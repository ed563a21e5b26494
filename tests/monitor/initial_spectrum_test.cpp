#include <gtest/gtest.h>

#include "monitor/initial_gpt.hpp"
#include "monitor/spectral/spectrum.hpp"

namespace ballast::monitor {
namespace {

using namespace test;

struct MeanOverBlocks {
  double near_unit = 0.0;
  double expanding = 0.0;
  double radius = 0.0;
};

MeanOverBlocks profile_of(Norms norms) {
  const GptShape shape{.norms = norms};
  const auto stream = InitialGpt{shape}.residual_stream();
  SpectralSolver solver{shape.dim};
  MeanOverBlocks mean;
  for (std::size_t block = 0; block < shape.layers; ++block) {
    const auto features = solver.solve(moments_of(stream[block], stream[block + 1]));
    EXPECT_EQ(features.status, SpectrumStatus::ok);
    const double share = 1.0 / static_cast<double>(shape.layers);
    mean.near_unit += share * features.masses.near_unit;
    mean.expanding += share * features.masses.expanding;
    mean.radius += share * features.radius;
  }
  return mean;
}

// A GPT of dim 128 and six blocks, weights of spread 0.02, 2,048 random tokens. Table 1 of
// arXiv:2602.22988 has 0.16, 0.54 and 2.29 for either kind of norm before the sublayers.
TEST(InitialSpectrum, OfPreNormBlocksIsLargelyAwayFromOne) {
  for (const Norms norms : {Norms::pre_layer, Norms::pre_rms}) {
    const MeanOverBlocks mean = profile_of(norms);
    EXPECT_GT(mean.near_unit, 0.12);
    EXPECT_LT(mean.near_unit, 0.20);
    EXPECT_NEAR(mean.expanding, 0.51, 0.04);
    EXPECT_NEAR(mean.radius, 1.9, 0.2);
  }
}

// The table has 0.80 and 1.11, of a width and a depth that it does not name.
TEST(InitialSpectrum, WithoutNormsIsNearOne) {
  const MeanOverBlocks mean = profile_of(Norms::none);
  EXPECT_GT(mean.near_unit, 0.95);
  EXPECT_LT(mean.radius, 1.1);
}

}  // namespace
}  // namespace ballast::monitor
