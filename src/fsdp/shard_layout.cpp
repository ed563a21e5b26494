#include "fsdp/shard_layout.hpp"

#include <algorithm>
#include <numeric>

namespace ballast::fsdp {

namespace {

/// Cuts the granules [range.first, range.end()) of one unit at tensor boundaries.
void append_segments(const model::ParameterTable& table, const model::UnitInfo& unit,
                     GranuleRange range, std::size_t local_offset,
                     std::vector<ShardSegment>& segments) {
  for (const std::size_t i : unit.rows) {
    const auto& parameter = table.parameters()[i];
    const std::size_t start = parameter.offset / kGranule;
    const std::size_t first = std::max(range.first, start);
    const std::size_t end = std::min(range.end(), start + parameter.granules());
    if (first >= end) continue;
    const GranuleRange own{first - start, end - first};
    segments.push_back({
        .parameter = i,
        .granules = own,
        .local_offset = local_offset + (first - range.first) * kGranule,
        .logical_numel = std::min(own.numel(), parameter.numel - own.first_element()),
    });
  }
}

std::vector<model::UnitId> trained_first(const model::ParameterTable& table) {
  std::vector<model::UnitId> order(table.units().size());
  std::iota(order.begin(), order.end(), model::UnitId{0});
  std::stable_partition(order.begin(), order.end(),
                        [&](model::UnitId id) { return table.unit(id).trains; });
  return order;
}

}  // namespace

ShardLayout::ShardLayout(const model::ParameterTable& table, const Mesh& mesh, std::size_t rank)
    : table_{&table},
      mesh_{mesh},
      rank_{rank},
      order_{trained_first(table)},
      offsets_(table.units().size()) {
  for (const model::UnitId unit : order_) {
    offsets_[unit] = local_numel_;
    local_numel_ += held(unit).numel();
    append_segments(table, table.unit(unit), held(unit), held_offset(unit), held_);
    append_segments(table, table.unit(unit), owned(unit), owned_offset(unit), owned_);
    if (!trains(unit)) continue;
    trained_numel_ = local_numel_;
    trained_segments_ = owned_.size();
  }
}

std::size_t ShardLayout::largest_owned(model::UnitId unit) const {
  return (table_->unit(unit).granules + ranks() - 1) / ranks();
}

std::size_t ShardLayout::owned_granules(std::size_t rank) const {
  std::size_t granules = 0;
  for (const model::UnitId unit : order_) granules += owned(unit, rank).count;
  return granules;
}

std::size_t ShardLayout::owned_trained_granules(std::size_t rank) const {
  std::size_t granules = 0;
  for (const model::UnitId unit : order_) granules += trains(unit) ? owned(unit, rank).count : 0;
  return granules;
}

}  // namespace ballast::fsdp
