#include <gtest/gtest.h>
#include <vector>

#include "base/profile.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "kernels/operations/cpu_operations.hpp"

namespace ballast::kernels {
namespace {

constexpr std::size_t kRows = 3;
constexpr std::size_t kDim = 5;

/// A few calls of each sort, on the same numbers; what they wrote.
std::vector<float> compute(const Operations& operations) {
  std::vector<float> x(kRows * kDim), gain(kDim, 1.5f), y(x.size()), dx(x.size()), dgain(kDim);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.25f * static_cast<float>(i) - 1.0f;
  std::vector<float> statistics(2 * kRows), scratch(gain_scratch_numel({kRows, kDim}));
  const NormRule rule{NormKind::rms, 1e-5f};
  operations.norm_forward(rule, {kRows, kDim}, std::span{x}, gain, std::span{y}, statistics);
  operations.norm_backward(rule, {kRows, kDim}, std::span{x}, gain, statistics, y, dx,
                           Store::overwrite, {dgain, Store::overwrite, scratch}, {});
  operations.gated_activation_forward(Activation::silu, std::span{x}, std::span{y}, std::span{y});
  operations.gated_activation_forward(Activation::gelu, std::span{x}, std::span{y}, std::span{y});
  operations.activation_forward(Activation::relu2, std::span{y}, std::span{y});
  operations.activation_backward(Activation::relu2, std::span{y}, std::span{y}, std::span{dx},
                                 std::span{y});
  operations.add_bias(kRows, kDim, gain, std::span{x});
  operations.bias_gradient(kRows, kDim, std::span{x}, {dgain, Store::add, scratch});
  operations.softcap_forward(2.0f, x);
  operations.softcap_backward(2.0f, x, std::span{dx});
  operations.add(std::span{x}, y, std::span{x});
  std::vector<TokenLoss> top(kRows * 2);
  operations.top_tokens(kDim, 2, x, top);
  for (const auto& [id, nll] : top) dx.insert(dx.end(), {static_cast<float>(id), nll});
  x.insert(x.end(), dx.begin(), dx.end());
  x.insert(x.end(), dgain.begin(), dgain.end());
  return x;
}

TEST(Operations, ProfiledOnesComputeTheSameAndAreSpans) {
  const auto gemm = make_gemm(GemmTable::shipped());
  const CpuOperations plain{*gemm, ElementType::fp32};
  Profile profile;
  const auto profiled = make_operations(*gemm, ElementType::fp32, nullptr, &profile);
  {
    const ProfileSpan step{&profile, Region::step};
    EXPECT_EQ(compute(*profiled), compute(plain));
  }
  std::vector<Region> regions;
  std::vector<double> bytes;
  for (const auto& event : profile.last_steps(1)) {
    regions.push_back(event.region);
    bytes.push_back(event.work.bytes);
  }
  const double pass = kRows * kDim * sizeof(float);
  EXPECT_EQ(regions,
            (std::vector{Region::step, Region::norm_forward, Region::norm_backward,
                         Region::swiglu_forward, Region::activation_forward,
                         Region::activation_forward, Region::activation_backward,
                         Region::bias_forward, Region::bias_backward, Region::softcap_forward,
                         Region::softcap_backward, Region::residual, Region::top_tokens}));
  EXPECT_EQ(bytes, (std::vector{0.0, 2 * pass, 3 * pass, 3 * pass, 3 * pass, 2 * pass, 4 * pass,
                                2 * pass, pass, 2 * pass, 3 * pass, 3 * pass, pass}));
}

TEST(Operations, RoundedIsTheTensorItselfWhereItIsOfTheType) {
  const auto gemm = make_gemm(GemmTable::shipped());
  const CpuOperations operations{*gemm, ElementType::bf16};
  std::vector<float> x{1.0f, 1.00390625f, -3.0f};
  std::vector<std::uint16_t> room(x.size());
  const Elements narrow{reinterpret_cast<std::byte*>(room.data()), room.size(), ElementType::bf16};
  EXPECT_EQ(operations.rounded(std::span{x}, std::span{x}).data(),
            reinterpret_cast<const std::byte*>(x.data()));
  const ConstElements rounded = operations.rounded(std::span{x}, narrow);
  EXPECT_EQ(rounded.data(), narrow.data());
  std::vector<float> back(x.size());
  EXPECT_EQ(operations.widened(rounded, back).data(), back.data());
  EXPECT_EQ(back, (std::vector{1.0f, 1.0f, -3.0f}));  // ties to even
}

}  // namespace
}  // namespace ballast::kernels
