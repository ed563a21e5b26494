#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/rank_range.hpp"
#include "fsdp/fetch_plan.hpp"
#include "model/parameters.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Reshard::within: the copies of units that groups of ranks keep after their first gather, each
/// rank a part, so that later gathers of the same version stay within the group.
class KeptParts {
 public:
  /// Reserves the part of `member` in `arena`. A group consists of whole groups of `ranks` members
  /// and of whole hosts, since a host has one copy of what it gathers.
  KeptParts(const model::ParameterTable& table, const Neighborhoods& hosts, std::size_t ranks,
            std::size_t member, ElementType type, Arena& arena);

  /// Who sends what when a unit is gathered from these parts.
  [[nodiscard]] const FetchPlan& plan() const { return plan_; }
  /// The granules that a member of the group keeps of a unit.
  [[nodiscard]] GranuleRange range(model::UnitId unit, std::size_t member) const;
  /// This rank's part of the copy.
  [[nodiscard]] Elements part(model::UnitId unit) const;

  /// Is the unit's copy of this version kept?
  [[nodiscard]] bool has(model::UnitId unit, std::uint64_t version) const {
    return versions_[unit] == version;
  }
  /// Keeps this rank's part of the whole unit.
  void keep(model::UnitId unit, std::uint64_t version, ConstElements whole);

 private:
  const model::ParameterTable* table_;
  const Arena* arena_;
  comm::RankRange group_;
  std::size_t member_;
  FetchPlan plan_;
  Arena::ElementSlot slot_{};
  std::vector<std::size_t> offsets_;     ///< by unit, in elements
  std::vector<std::uint64_t> versions_;  ///< by unit; 0: none
};

}  // namespace ballast::fsdp
