#include "train/offline/scored_text.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <iterator>

#include "base/checked_cast.hpp"
#include "data/dataset.hpp"

namespace ballast::train {

std::string score_line(std::optional<std::size_t> window, std::span<const std::int32_t> tokens,
                       std::span<const float> nll) {
  std::string line = "{";
  const auto end = std::back_inserter(line);
  if (window) fmt::format_to(end, "\"window\":{},", *window);
  fmt::format_to(end, "\"tokens\":[{}],\"logprobs\":[null", fmt::join(tokens, ","));
  for (const float value : nll) {
    if (std::isfinite(value)) {
      fmt::format_to(end, ",{}", 0.0f - value);  // 0, not -0, where value is 0
    } else {
      line += ",null";
    }
  }
  return line + "]}\n";
}

ScoredWave::ScoredWave(const comm::Communicator& world, model::BatchShape shape)
    : shape_{shape}, own_(shape.tokens()) {
  if (world.is_root()) all_.resize(checked_cast<std::size_t>(world.size()) * shape.tokens());
}

void ScoredWave::take(const model::Batch& batch, std::span<const float> nll) {
  for (std::size_t t = 0; t < own_.size(); ++t) own_[t] = {batch.ids[t], batch.labels[t], nll[t]};
}

void ScoredWave::gather(comm::Communicator& world, std::size_t count) {
  const auto ranks = checked_cast<std::size_t>(world.size());
  const std::size_t bytes = std::as_bytes(std::span{own_}).size();
  std::vector<std::size_t> sent(ranks, 0);
  std::vector<std::size_t> received(ranks, 0);
  const std::vector<std::size_t> from_start(ranks, 0);
  std::vector<std::size_t> places(ranks, 0);
  if (checked_cast<std::size_t>(world.rank()) < count) sent[0] = bytes;
  if (world.is_root()) {
    std::fill_n(received.begin(), count, bytes);
    for (std::size_t rank = 0; rank < ranks; ++rank) places[rank] = rank * bytes;
  }
  world.all_to_all(std::as_bytes(std::span{own_}), {sent, from_start},
                   std::as_writable_bytes(std::span{all_}), {received, places}, {"scores"});
}

std::string ScoredWave::line(std::size_t rank, std::size_t sequence,
                             std::optional<std::size_t> window) const {
  const auto places =
      std::span{all_}.subspan(rank * shape_.tokens() + sequence * shape_.seq_len, shape_.seq_len);
  std::vector<std::int32_t> tokens{places.front().input};
  std::vector<float> nll;
  for (const Place& place : places) {
    if (place.label == data::kIgnore) break;
    tokens.push_back(place.label);
    nll.push_back(place.nll);
  }
  return score_line(window, tokens, nll);
}

}  // namespace ballast::train
