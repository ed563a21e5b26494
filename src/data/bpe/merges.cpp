#include "data/bpe/merges.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <queue>

#include "base/error.hpp"

namespace ballast::data {

namespace {

/// Up to so many tokens, to look at all pairs again and again is faster than a heap.
constexpr std::size_t kFew = 48;

constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

/// A pair that may be merged. The first of a heap has the lowest rank, then the lowest place.
struct Candidate {
  std::uint32_t rank;
  std::uint32_t place;  ///< of its left token
  std::int32_t left;
  std::int32_t right;
  std::int32_t whole;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.place > b.place;
  }
};

/// Tokens as a list, from which merged ones are taken out.
class TokenList {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  explicit TokenList(std::span<const std::int32_t> tokens) : links_(tokens.size()) {
    for (std::uint32_t i = 0; i < links_.size(); ++i) {
      links_[i] = {tokens[i], i == 0 ? kNone : i - 1, i + 1 == links_.size() ? kNone : i + 1};
    }
  }

  /// -1 for one that was taken out, and for none.
  [[nodiscard]] std::int32_t token(std::uint32_t place) const {
    return place == kNone ? -1 : links_[place].token;
  }
  [[nodiscard]] std::uint32_t before(std::uint32_t place) const { return links_[place].before; }
  [[nodiscard]] std::uint32_t after(std::uint32_t place) const { return links_[place].after; }

  void merge_with_next(std::uint32_t place, std::int32_t whole) {
    Link& link = links_[place];
    Link& next = links_[link.after];
    link.token = whole;
    link.after = next.after;
    next.token = -1;
    if (link.after != kNone) links_[link.after].before = place;
  }

 private:
  struct Link {
    std::int32_t token;
    std::uint32_t before;
    std::uint32_t after;
  };
  std::vector<Link> links_;
};

}  // namespace

Merges::Merges(std::span<const Merge> merges, std::size_t vocabulary) : begins_(vocabulary + 1) {
  for (const Merge& merge : merges) ++begins_[static_cast<std::size_t>(merge.left) + 1];
  for (std::size_t id = 0; id < vocabulary; ++id) begins_[id + 1] += begins_[id];
  rights_.resize(merges.size());
  std::vector<std::uint32_t> next = begins_;
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    const Merge& merge = merges[rank];
    rights_[next[static_cast<std::size_t>(merge.left)]++] = {merge.right, rank, merge.whole};
  }
  for (std::size_t id = 0; id < vocabulary; ++id) {
    const std::span row{rights_.begin() + begins_[id], rights_.begin() + begins_[id + 1]};
    std::ranges::stable_sort(row, {}, &Right::token);
    const auto twice = std::ranges::adjacent_find(row, {}, &Right::token);
    if (twice != row.end()) {
      throw data_error("merges {} and {} are of the same two tokens, {} and {}", twice->rank,
                       (twice + 1)->rank, id, twice->token);
    }
  }
}

std::optional<Merges::Found> Merges::find(std::int32_t left, std::int32_t right) const {
  const auto row = static_cast<std::size_t>(left);
  const auto begin = rights_.begin() + begins_[row];
  const auto end = rights_.begin() + begins_[row + 1];
  const auto found = std::ranges::lower_bound(begin, end, right, {}, &Right::token);
  if (found == end || found->token != right) return std::nullopt;
  return Found{found->rank, found->whole};
}

void Merges::apply(std::vector<std::int32_t>& tokens) const {
  if (tokens.size() < 2) return;
  if (tokens.size() <= kFew) {
    apply_to_few(tokens);
  } else {
    apply_to_many(tokens);
  }
}

void Merges::apply_to_few(std::vector<std::int32_t>& tokens) const {
  std::array<Found, kFew> pairs;  // of each token with the next
  const auto look = [&](std::size_t i) {
    pairs[i] = find(tokens[i], tokens[i + 1]).value_or(Found{kNoRank, -1});
  };
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) look(i);
  while (tokens.size() > 1) {
    const auto end = pairs.begin() + static_cast<std::ptrdiff_t>(tokens.size()) - 1;
    const auto best = std::ranges::min_element(pairs.begin(), end, {}, &Found::rank);
    if (best->rank == kNoRank) return;
    const auto at = static_cast<std::size_t>(best - pairs.begin());
    tokens[at] = best->whole;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    std::copy(best + 1, end, best);
    if (at > 0) look(at - 1);
    if (at + 1 < tokens.size()) look(at);
  }
}

void Merges::apply_to_many(std::vector<std::int32_t>& tokens) const {
  TokenList list{tokens};
  std::priority_queue<Candidate> candidates;
  const auto offer = [&](std::uint32_t place) {
    if (place == TokenList::kNone || list.after(place) == TokenList::kNone) return;
    const std::int32_t left = list.token(place);
    const std::int32_t right = list.token(list.after(place));
    if (const auto found = find(left, right)) {
      candidates.push({found->rank, place, left, right, found->whole});
    }
  };
  for (std::uint32_t place = 0; place < tokens.size(); ++place) offer(place);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    // One of the two may have been merged since.
    if (list.token(best.place) != best.left || list.after(best.place) == TokenList::kNone ||
        list.token(list.after(best.place)) != best.right) {
      continue;
    }
    list.merge_with_next(best.place, best.whole);
    offer(list.before(best.place));
    offer(best.place);
  }
  std::size_t count = 0;
  for (std::uint32_t place = 0; place != TokenList::kNone; place = list.after(place)) {
    tokens[count++] = list.token(place);
  }
  tokens.resize(count);
}

}  // namespace ballast::data
