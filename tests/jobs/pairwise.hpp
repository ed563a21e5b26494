#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace ballast::test {

/// A level of a factor, as in "factor 2 takes its level 0".
struct Level {
  std::size_t factor;
  std::size_t level;
};

/// The level of every factor, or nothing yet.
using Row = std::vector<std::size_t>;
using DraftRow = std::vector<std::optional<std::size_t>>;

/// Whether two levels of different factors may stand in one row; asked in order of the factors.
using MayMeet = std::function<bool(Level, Level)>;

/// Rows in which every two levels that may meet do meet: a pairwise cover, by the greedy of AETG
/// (Cohen et al. 1997) without its dice, so that it is the same everywhere.
class PairwiseCover {
 public:
  /// levels[f]: how many levels factor f has.
  PairwiseCover(std::vector<std::size_t> levels, MayMeet may_meet)
      : levels_{std::move(levels)}, may_meet_{std::move(may_meet)} {
    for (std::size_t b = 0; b < levels_.size(); ++b) {
      for (std::size_t a = 0; a < b; ++a) add_pairs(a, b);
    }
    while (!open_.empty()) rows_.push_back(next_row());
  }

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  using Pair = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;

  static Pair pair_of(Level x, Level y) {
    return x.factor < y.factor ? Pair{x.factor, y.factor, x.level, y.level}
                               : Pair{y.factor, x.factor, y.level, x.level};
  }
  [[nodiscard]] bool meet(Level x, Level y) const {
    return x.factor < y.factor ? may_meet_(x, y) : may_meet_(y, x);
  }

  void add_pairs(std::size_t a, std::size_t b) {
    for (std::size_t i = 0; i < levels_[a]; ++i) {
      for (std::size_t j = 0; j < levels_[b]; ++j) {
        if (may_meet_({a, i}, {b, j})) open_.insert({a, b, i, j});
      }
    }
  }

  /// The pairs that `level` would close in a row; nothing where it may not stand there.
  [[nodiscard]] std::optional<std::size_t> gain(const DraftRow& row, Level level) const {
    std::size_t closed = 0;
    for (std::size_t other = 0; other < row.size(); ++other) {
      if (!row[other]) continue;
      if (!meet(level, {other, *row[other]})) return std::nullopt;
      if (open_.contains(pair_of(level, {other, *row[other]}))) ++closed;
    }
    return closed;
  }

  /// Starts from the first open pair, then takes for one factor after another what closes most.
  [[nodiscard]] Row next_row() {
    const auto [a, b, i, j] = *open_.begin();
    DraftRow row(levels_.size());
    row[a] = i;
    row[b] = j;
    for (std::size_t factor = 0; factor < row.size(); ++factor) {
      if (!row[factor]) row[factor] = best_level(row, factor);
    }
    Row finished;
    for (std::size_t factor = 0; factor < row.size(); ++factor) {
      finished.push_back(row[factor].value());
      for (std::size_t other = 0; other < factor; ++other) {
        open_.erase({other, factor, finished[other], finished[factor]});
      }
    }
    return finished;
  }

  [[nodiscard]] std::optional<std::size_t> best_level(const DraftRow& row, std::size_t factor) {
    std::optional<std::size_t> best;
    std::size_t most = 0;
    // Of equals the one that comes next in turn, so that no level is favored.
    const std::size_t first = rows_.size();
    for (std::size_t turn = 0; turn < levels_[factor]; ++turn) {
      const std::size_t level = (first + turn) % levels_[factor];
      const auto closed = gain(row, {factor, level});
      if (!closed || (best && *closed <= most)) continue;
      best = level;
      most = *closed;
    }
    return best;
  }

  std::vector<std::size_t> levels_;
  MayMeet may_meet_;
  std::set<Pair> open_;  ///< pairs that no row has yet
  std::vector<Row> rows_;
};

}  // namespace ballast::test
