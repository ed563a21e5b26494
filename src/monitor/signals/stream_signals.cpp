#include "monitor/signals/stream_signals.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/checked_cast.hpp"
#include "comm/merge.hpp"
#include "kernels/elementwise.hpp"

namespace ballast::monitor {

namespace {

constexpr std::int32_t kMagnitude = 0x7fffffff;

/// An integer that orders as floats do, NaN above all numbers.
std::int64_t ordered(float value) {
  const auto bits = std::isnan(value) ? kMagnitude : std::bit_cast<std::int32_t>(value);
  return bits < 0 ? bits ^ kMagnitude : bits;
}

float from_ordered(std::int64_t order) {
  const auto bits = static_cast<std::int32_t>(order);
  return std::bit_cast<float>(bits < 0 ? bits ^ kMagnitude : bits);
}

double value_of(const ExactSum& sum) { return sum.nonfinite() == 0 ? sum.value() : std::nan(""); }

}  // namespace

StreamSums::StreamSums(std::size_t layers, std::size_t dim)
    : dim_{dim},
      layers_{layers},
      squares_(layers + 1),
      fourths_(layers + 1),
      updates_(layers),
      logits_(layers),
      scratch_(dim) {}

void StreamSums::measure(const ProbeRows& rows) {
  tokens_ = checked_cast<std::int64_t>(rows.count());
  for (auto* sums : {&squares_, &fourths_, &updates_}) std::ranges::fill(*sums, ExactSum{});
  for (std::size_t depth = 0; depth <= layers_; ++depth) measure_depth(rows, depth);
  std::ranges::transform(rows.logits(), logits_.begin(), ordered);
}

void StreamSums::measure_depth(const ProbeRows& rows, std::size_t depth) {
  for (std::size_t i = 0; i < rows.count(); ++i) {
    const auto row = rows.at(depth).subspan(i * dim_, dim_);
    kernels::add_squares(row, squares_[depth]);
    std::ranges::transform(row, scratch_.begin(), [](float x) { return x * x; });
    kernels::add_squares(scratch_, fourths_[depth]);
    if (depth == layers_) continue;
    const auto next = rows.at(depth + 1).subspan(i * dim_, dim_);
    std::ranges::transform(next, row, scratch_.begin(), std::minus{});
    kernels::add_squares(scratch_, updates_[depth]);
  }
}

void StreamSums::merge_over(comm::Communicator& world) {
  comm::merge(world, {squares_, fourths_, updates_, tokens_},
              {"probe", "sums of the residual stream"});
  world.max(logits_, {"probe", "attention logits"});
}

void StreamSums::write(StreamSignals& signals) const {
  signals.tokens = checked_cast<std::size_t>(tokens_);
  signals.rms.resize(layers_ + 1);
  signals.kurtosis.resize(layers_ + 1);
  signals.update.resize(layers_);
  signals.attention_logit.resize(layers_);
  const double elements = static_cast<double>(tokens_) * static_cast<double>(dim_);
  for (std::size_t depth = 0; depth <= layers_; ++depth) {
    const double mean_square = value_of(squares_[depth]) / elements;
    signals.rms[depth] = std::sqrt(mean_square);
    signals.kurtosis[depth] = value_of(fourths_[depth]) / elements / (mean_square * mean_square);
  }
  for (std::size_t layer = 0; layer < layers_; ++layer) {
    signals.update[layer] = std::sqrt(value_of(updates_[layer]) / value_of(squares_[layer]));
    signals.attention_logit[layer] = static_cast<double>(from_ordered(logits_[layer]));
  }
}

}  // namespace ballast::monitor
