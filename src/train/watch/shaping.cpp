#include "train/watch/shaping.hpp"

#include <algorithm>
#include <cmath>

#include "comm/merge.hpp"
#include "kernels/elementwise.hpp"

namespace ballast::train {

namespace {

/// The same at any number of ranks and threads.
double norm(std::span<const float> values) {
  ExactSum squares;
  kernels::add_squares(values, squares);
  return squares.nonfinite() == 0 ? std::sqrt(squares.value()) : std::nan("");
}

}  // namespace

Shaping::Shaping(const monitor::ProbeRows& rows, const monitor::SpectralShape& shape,
                 std::size_t most_rows, const kernels::Gemm& gemm, double alpha)
    : rows_{&rows}, kss_{shape, most_rows, gemm}, alpha_{alpha}, wanted_(most_rows * shape.dim) {}

void Shaping::begin(comm::Communicator& world, std::uint64_t step, std::uint64_t alarm_age,
                    double gradient_scale) {
  kss_.solve(world, step, *rows_);
  const auto ramp = static_cast<double>(std::min(alarm_age, kRampSteps)) / kRampSteps;
  weight_ = alpha_ * ramp * gradient_scale;
  shares_ = {};
  streams_ = 0;
}

void Shaping::add(std::size_t layer, std::span<float> gradient) {
  const std::size_t dim = rows_->dim();
  const auto wanted = std::span{wanted_}.first(rows_->selected().size() * dim);
  if (wanted.empty() || !kss_.differentiate(*rows_, layer + 1, wanted)) return;
  const double length = weight_ * norm(wanted);
  const double most = kCap * norm(gradient);
  // The verdict of the step deals with a gradient that is not finite.
  if (!std::isfinite(length) || !std::isfinite(most) || length == 0.0) return;
  const double share = std::min(1.0, most / length);
  shares_.add(share);
  ++streams_;
  const auto factor = static_cast<float>(weight_ * share);
  const float* from = wanted.data();
  for (const std::uint32_t token : rows_->selected()) {
    for (float& value : gradient.subspan(token * dim, dim)) value += factor * *from++;
  }
}

monitor::ShapingRecord Shaping::finish(comm::Communicator& world) {
  comm::merge(world, {shares_, streams_}, {"shaping", "shares"});
  const auto summary = kss_.summary();
  return {.loss = summary.loss,
          .near_unit = summary.near_unit,
          .applied_share = streams_ == 0 ? 0.0 : shares_.value() / static_cast<double>(streams_)};
}

}  // namespace ballast::train
