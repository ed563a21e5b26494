#include "train/watch/qk_clip.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

#include "base/checked_cast.hpp"
#include "kernels/elementwise.hpp"

namespace ballast::train {

namespace {

constexpr std::uint64_t kStepsBetweenLines = 100;

bool makes_queries_or_keys(const model::ParameterInfo& parameter) {
  return parameter.role == model::TensorRole::query || parameter.role == model::TensorRole::key;
}

/// Queries and keys take the same factor, so a block is clipped only if both of them train.
bool trains_queries_and_keys(const model::ParameterTable& table, std::size_t layer) {
  return std::ranges::all_of(table.parameters_of_layer(layer), [&](const auto& parameter) {
    return !makes_queries_or_keys(parameter) || table.trains(parameter);
  });
}

}  // namespace

QkClip::QkClip(double threshold, const fsdp::ShardLayout& layout)
    : threshold_{threshold},
      runs_(layout.table().units().size()),
      largest_(layout.table().layers()),
      words_(layout.table().layers()) {
  const auto& table = layout.table();
  for (std::size_t layer = 0; layer < table.layers(); ++layer) {
    may_clip_.push_back(trains_queries_and_keys(table, layer));
  }
  for (const auto& segment : layout.held_segments()) {
    const auto& parameter = table.parameters()[segment.parameter];
    const auto layer = table.layer_of(segment.parameter);
    if (!layer || !may_clip_[*layer] || !makes_queries_or_keys(parameter)) continue;
    runs_[parameter.unit].push_back(
        {*layer, segment.local_offset - layout.held_offset(parameter.unit), segment.logical_numel});
  }
}

void QkClip::begin_step() {
  std::ranges::fill(largest_, 0.0f);
  was_agreed_ = false;
}

void QkClip::after_block(std::size_t layer, std::span<const float>,
                         const model::AttentionSignals& attention) {
  if (may_clip_[layer]) largest_[layer] = std::max(largest_[layer], attention.largest_logit);
}

/// Positive floats have the order of their bits, so the maximum over ranks is one of integers.
void QkClip::before_update(comm::Communicator& world) {
  std::ranges::transform(largest_, words_.begin(), [](float logit) {
    return std::int64_t{std::bit_cast<std::int32_t>(logit)};
  });
  world.max(words_, {"qk_clip"});
  was_agreed_ = true;
  std::ranges::transform(words_, largest_.begin(), [](std::int64_t word) {
    return std::bit_cast<float>(checked_cast<std::int32_t>(word));
  });
  if (std::ranges::any_of(largest_, [&](float logit) { return is_above(logit); })) ++clipped_steps_;
}

void QkClip::after_unit(model::UnitId unit, const optim::MasterSlice& master) {
  for (const Run& run : runs_[unit]) {
    const float largest = largest_[run.layer];
    if (!is_above(largest)) continue;
    const auto factor = static_cast<float>(std::sqrt(threshold_ / static_cast<double>(largest)));
    for (std::size_t done = 0; done < run.numel; done += piece_.size()) {
      const auto piece = std::span{piece_}.first(std::min(piece_.size(), run.numel - done));
      optim::read(master, run.offset + done, piece);
      kernels::scale(piece, factor, piece);
      optim::write(master, run.offset + done, piece);
    }
  }
}

std::optional<std::string> QkClip::log_line(std::uint64_t step) {
  if (clipped_steps_ == 0 || !was_agreed_) return {};
  if (line_at_ != 0 && step < line_at_ + kStepsBetweenLines) return {};
  const auto loudest = std::ranges::max_element(largest_);
  const auto blocks = std::ranges::count_if(largest_, [&](float logit) { return is_above(logit); });
  if (blocks == 0) return {};
  std::string text = fmt::format(
      "qk_clip at step {}: attention logits reach {:.4g} in block {}; W_q and W_k of {} block(s) "
      "scaled down to {:g}; {} step(s) clipped since the last such line",
      step, *loudest, loudest - largest_.begin(), blocks, threshold_, clipped_steps_);
  line_at_ = step;
  clipped_steps_ = 0;
  return text;
}

}  // namespace ballast::train
