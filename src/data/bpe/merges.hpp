#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ballast::data {

/// Two neighboring tokens that become one. The place in the list of merges is the rank: the lowest
/// is merged first.
struct Merge {
  std::int32_t left;
  std::int32_t right;
  std::int32_t whole;
};

/// Merges of byte-pair encoding (Sennrich, Haddow, Birch 2016), found by their pair: for each left
/// token its right ones in order, so that no file can make them hard to find.
class Merges {
 public:
  struct Found {
    std::uint32_t rank;
    std::int32_t whole;
  };

  /// In order of rank, all ids at least 0 and below `vocabulary`. Throws a data Error that names
  /// two ranks if a pair stands twice.
  Merges(std::span<const Merge> merges, std::size_t vocabulary);

  /// nullopt where the two stay two.
  [[nodiscard]] std::optional<Found> find(std::int32_t left, std::int32_t right) const;

  /// Merges in place: always the pair of lowest rank, of equal ones the first, until none is left.
  /// In n tokens, O(n log n) steps.
  void apply(std::vector<std::int32_t>& tokens) const;

 private:
  struct Right {
    std::int32_t token;
    std::uint32_t rank;
    std::int32_t whole;
  };

  void apply_to_few(std::vector<std::int32_t>& tokens) const;
  void apply_to_many(std::vector<std::int32_t>& tokens) const;

  std::vector<std::uint32_t> begins_;  ///< of each left token in rights_, and the end of the last
  std::vector<Right> rights_;
};

}  // namespace ballast::data
