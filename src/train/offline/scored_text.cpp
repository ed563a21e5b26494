#include "train/offline/scored_text.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/ranges.h>
#include <iterator>
#include <string_view>

#include "base/checked_cast.hpp"
#include "data/dataset.hpp"

namespace ballast::train {

namespace {

using kernels::TokenLoss;

void append_log_probability(std::string& line, float nll) {
  if (std::isfinite(nll)) {
    fmt::format_to(std::back_inserter(line), "{}", 0.0f - nll);  // 0, not -0, where nll is 0
  } else {
    line += "null";
  }
}

/// [[5,-0.1],[7,-2.5]]
void append_likely(std::string& line, std::span<const TokenLoss> likely) {
  std::string_view before = "[[";
  for (const auto& [id, nll] : likely) {
    fmt::format_to(std::back_inserter(line), "{}{},", before, id);
    append_log_probability(line, nll);
    before = "],[";
  }
  line += "]]";
}

/// Brings what ranks 0 to count - 1 have to rank 0, one after the other.
template <class T>
void gather_at_root(comm::Communicator& world, std::size_t count, std::span<const T> own,
                    std::span<T> all) {
  const auto ranks = checked_cast<std::size_t>(world.size());
  std::vector<std::size_t> sent(ranks, 0);
  std::vector<std::size_t> received(ranks, 0);
  const std::vector<std::size_t> from_start(ranks, 0);
  std::vector<std::size_t> places(ranks, 0);
  if (checked_cast<std::size_t>(world.rank()) < count) sent[0] = own.size_bytes();
  if (world.is_root()) {
    std::fill_n(received.begin(), count, own.size_bytes());
    for (std::size_t rank = 0; rank < ranks; ++rank) places[rank] = rank * own.size_bytes();
  }
  world.all_to_all(std::as_bytes(own), {sent, from_start}, std::as_writable_bytes(all),
                   {received, places}, {"scores"});
}

}  // namespace

std::string score_line(std::optional<std::size_t> window, const ScoredText& text) {
  std::string line = "{";
  const auto end = std::back_inserter(line);
  if (window) fmt::format_to(end, "\"window\":{},", *window);
  fmt::format_to(end, "\"tokens\":[{}],\"logprobs\":[null", fmt::join(text.tokens, ","));
  for (const float value : text.nll) {
    line += ',';
    append_log_probability(line, value);
  }
  line += ']';
  if (text.top > 0) {
    line += ",\"top\":[null";
    for (std::size_t t = 0; t < text.nll.size(); ++t) {
      line += ',';
      append_likely(line, text.likely.subspan(t * text.top, text.top));
    }
    line += ']';
  }
  return line + "}\n";
}

ScoredWave::ScoredWave(const comm::Communicator& world, model::BatchShape shape, std::size_t top)
    : shape_{shape}, top_{top}, own_(shape.tokens()), own_likely_(shape.tokens() * top) {
  if (!world.is_root()) return;
  const auto ranks = checked_cast<std::size_t>(world.size());
  all_.resize(ranks * own_.size());
  all_likely_.resize(ranks * own_likely_.size());
}

void ScoredWave::after_logits(const model::ShownLogits& shown,
                              const kernels::Operations& operations) {
  if (top_ == 0) return;
  const std::size_t tokens = shown.logits.size() / shown.vocabulary;
  operations.top_tokens(shown.vocabulary, top_, shown.logits,
                        std::span{own_likely_}.subspan(shown.first_token * top_, tokens * top_));
}

void ScoredWave::take(const model::Batch& batch, std::span<const float> nll) {
  for (std::size_t t = 0; t < own_.size(); ++t) own_[t] = {batch.ids[t], batch.labels[t], nll[t]};
}

void ScoredWave::gather(comm::Communicator& world, std::size_t count) {
  gather_at_root<Place>(world, count, own_, all_);
  if (top_ > 0) gather_at_root<TokenLoss>(world, count, own_likely_, all_likely_);
}

std::string ScoredWave::line(std::size_t rank, std::size_t sequence,
                             std::optional<std::size_t> window) const {
  const std::size_t first = rank * shape_.tokens() + sequence * shape_.seq_len;
  const auto places = std::span{all_}.subspan(first, shape_.seq_len);
  std::vector<std::int32_t> tokens{places.front().input};
  std::vector<float> nll;
  for (const Place& place : places) {
    if (place.label == data::kIgnore) break;
    tokens.push_back(place.label);
    nll.push_back(place.nll);
  }
  const auto likely = std::span{all_likely_}.subspan(first * top_, nll.size() * top_);
  return score_line(window, {tokens, nll, top_, likely});
}

}  // namespace ballast::train
