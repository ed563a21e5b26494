#include "data/bpe/pair_counts.hpp"

#include <algorithm>

namespace ballast::data {

namespace {

using Tokens = std::vector<std::int32_t>;

template <class Visit>
void for_each_pair(const Tokens& tokens, Visit visit) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    visit(PairCounts::Pair{tokens[i], tokens[i + 1]});
  }
}

/// Whether there was something to merge.
bool merge_in(Tokens& tokens, PairCounts::Pair pair, std::int32_t whole) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i, ++kept) {
    const bool merges =
        i + 1 < tokens.size() && tokens[i] == pair.left && tokens[i + 1] == pair.right;
    tokens[kept] = merges ? whole : tokens[i];
    if (merges) ++i;
  }
  const bool shorter = kept < tokens.size();
  tokens.resize(kept);
  return shorter;
}

}  // namespace

void PairCounts::add_word(std::span<const std::int32_t> tokens, std::uint64_t count) {
  const auto index = static_cast<std::uint32_t>(words_.size());
  words_.push_back({{tokens.begin(), tokens.end()}, count});
  for_each_pair(words_.back().tokens, [&](Pair pair) { add(pair, index); });
}

void PairCounts::add(Pair pair, std::uint32_t word) {
  Places& places = places_[key(pair)];
  places.count += words_[word].count;
  if (places.words.empty() || places.words.back() != word) places.words.push_back(word);
}

std::optional<PairCounts::Pair> PairCounts::most_frequent() {
  if (queue_.empty()) {
    for (const auto& [pair, places] : places_) queue_.push({places.count, pair_of(pair)});
  }
  while (!queue_.empty()) {
    const Entry top = queue_.top();
    const auto found = places_.find(key(top.pair));
    const std::uint64_t count = found == places_.end() ? 0 : found->second.count;
    if (count == top.count && count > 0) return top.pair;
    queue_.pop();
    if (count > 0) queue_.push({count, top.pair});
  }
  return std::nullopt;
}

void PairCounts::merge(Pair pair, std::int32_t whole) {
  std::vector<Pair> grown;
  const std::vector<std::uint32_t> indexes = std::move(places_[key(pair)].words);
  for (const std::uint32_t index : indexes) {
    Word& word = words_[index];
    const Tokens before = word.tokens;
    if (!merge_in(word.tokens, pair, whole)) continue;
    for_each_pair(before, [&](Pair old) { places_[key(old)].count -= word.count; });
    for_each_pair(word.tokens, [&](Pair now) {
      if (now.left == whole || now.right == whole) {
        add(now, index);
        grown.push_back(now);
      } else {
        places_[key(now)].count += word.count;
      }
    });
  }
  places_.erase(key(pair));
  std::ranges::sort(grown);
  grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
  for (const Pair now : grown) queue_.push({places_[key(now)].count, now});
}

}  // namespace ballast::data
