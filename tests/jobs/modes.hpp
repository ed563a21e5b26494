#pragma once

#include <string>
#include <vector>

#include "jobs/jobs.hpp"
#include "jobs/pairwise.hpp"

namespace ballast::test {

/// One way to run a training. Precision and training say what is computed, and so which runs must
/// have the same bits; all else is how.
class Mode {
 public:
  explicit Mode(Row row) : row_{std::move(row)} {}

  [[nodiscard]] int ranks() const;
  /// For the names of tests: letters, digits and underscores.
  [[nodiscard]] std::string name() const;
  /// What it shares with its reference, which is one rank in the plainest mode.
  [[nodiscard]] std::string training() const;
  [[nodiscard]] Mode reference() const;
  /// The keys of the run.
  [[nodiscard]] Keys keys(const std::string& data, const std::string& run_dir) const;
  /// What the log must say of the mode in effect.
  [[nodiscard]] std::vector<std::string> log_entries() const;

 private:
  [[nodiscard]] int shard_group() const;

  Row row_;
};

inline void PrintTo(const Mode& mode, std::ostream* out) { *out << mode.name(); }

/// The factors of a mode: how many levels each has, and which of them contradict one another.
[[nodiscard]] std::vector<std::size_t> mode_levels();
[[nodiscard]] bool modes_may_meet(Level x, Level y);

/// Modes in which every two levels meet.
[[nodiscard]] std::vector<Mode> cover_of_modes();
/// Every sharding, backend, recomputation, number of ranks and precision; the rest in turn.
[[nodiscard]] std::vector<Mode> matrix_of_modes();
/// How many references there are.
[[nodiscard]] std::size_t number_of_references();

}  // namespace ballast::test
