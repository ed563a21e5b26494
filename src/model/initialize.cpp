#include "model/initialize.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/philox.hpp"
#include "kernels/lanes/math.hpp"

namespace ballast::model {

namespace {

/// Four standard normal values from four uniform words (Box and Muller 1958).
std::array<double, 4> normals(const Philox::Block& words) {
  constexpr double kTwoPi = 6.283185307179586;
  std::array<double, 4> out{};
  for (std::size_t pair = 0; pair < 2; ++pair) {
    const double radius = std::sqrt(-2.0 * kernels::portable_log(open_unit(words[2 * pair])));
    const double angle = kTwoPi * open_unit(words[2 * pair + 1]);
    out[2 * pair] = radius * kernels::portable_cos(angle);
    out[2 * pair + 1] = radius * kernels::portable_sin(angle);
  }
  return out;
}

void fill_normal(const Philox& stream, double std, std::size_t first, std::span<float> out) {
  static_assert(kGranule % 4 == 0);  // `first` is a multiple of a draw's four values
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const auto values = normals(stream((first + i) / 4));
    const std::size_t count = std::min<std::size_t>(4, out.size() - i);
    for (std::size_t j = 0; j < count; ++j) out[i + j] = static_cast<float>(std * values[j]);
  }
}

}  // namespace

void initialize(const ParameterInfo& parameter, std::size_t index, std::uint64_t seed,
                GranuleRange range, std::span<float> out) {
  const std::size_t first = range.first_element();
  const std::size_t logical = std::min(range.numel(), parameter.numel - first);
  if (parameter.init == InitKind::normal) {
    const Philox stream{seed, RandomPurpose::init, static_cast<std::uint32_t>(index), 0};
    fill_normal(stream, parameter.init_std, first, out.first(logical));
  } else {
    std::ranges::fill(out.first(logical), parameter.init == InitKind::ones ? 1.0f : 0.0f);
  }
  std::ranges::fill(out.subspan(logical), 0.0f);
}

}  // namespace ballast::model
