#include "fsdp/shard_layout.hpp"

#include <algorithm>

namespace ballast::fsdp {

namespace {

/// Cuts the granules [range.first, range.end()) of one unit at tensor boundaries.
void append_segments(const model::ParameterTable& table, const model::UnitInfo& unit,
                     GranuleRange range, std::size_t local_offset,
                     std::vector<ShardSegment>& segments) {
  for (std::size_t i = unit.first_parameter; i < unit.first_parameter + unit.parameters; ++i) {
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

}  // namespace

ShardLayout::ShardLayout(const model::ParameterTable& table, const Mesh& mesh, std::size_t rank)
    : table_{&table}, mesh_{mesh}, rank_{rank}, offsets_{0} {
  for (model::UnitId unit = 0; unit < table.units().size(); ++unit) {
    offsets_.push_back(offsets_.back() + held(unit).numel());
    append_segments(table, table.unit(unit), held(unit), held_offset(unit), held_);
    append_segments(table, table.unit(unit), owned(unit), owned_offset(unit), owned_);
  }
}

std::size_t ShardLayout::largest_owned(model::UnitId unit) const {
  return (table_->unit(unit).granules + ranks() - 1) / ranks();
}

std::size_t ShardLayout::owned_granules(std::size_t rank) const {
  std::size_t granules = 0;
  for (model::UnitId unit = 0; unit < table_->units().size(); ++unit) {
    granules += owned(unit, rank).count;
  }
  return granules;
}

}  // namespace ballast::fsdp
