#pragma once

#include <cstddef>
#include <vector>

namespace ballast::model {

/// Which blocks are gathered and released together.
struct Grouping {
  /// What lies in one unit with the ends of the model: embedding, final norm and head.
  enum class Ends { plain, everything };

  std::vector<std::size_t> layers{};  ///< consecutive blocks a unit, in order; empty: one each
  Ends ends = Ends::plain;            ///< everything: no other units, `layers` is empty

  [[nodiscard]] static Grouping per_block(std::size_t layers);
  /// n consecutive blocks a unit, the last may hold fewer.
  [[nodiscard]] static Grouping blocks(std::size_t layers, std::size_t n);
  /// The whole model is one unit.
  [[nodiscard]] static Grouping whole() { return {{}, Ends::everything}; }

  friend bool operator==(const Grouping&, const Grouping&) = default;
};

}  // namespace ballast::model
