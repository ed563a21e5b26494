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

std::vector<ShardSegment> shard_segments(const model::ParameterTable& table, std::size_t rank,
                                         std::size_t world_size) {
  std::vector<ShardSegment> segments;
  std::size_t local_offset = 0;
  for (const auto& unit : table.units()) {
    const GranuleRange range = shard_range(unit.granules, rank, world_size);
    append_segments(table, unit, range, local_offset, segments);
    local_offset += range.numel();
  }
  return segments;
}

ShardLayout::ShardLayout(const model::ParameterTable& table, std::size_t rank,
                         std::size_t world_size)
    : table_{&table},
      rank_{rank},
      world_size_{world_size},
      offsets_{0},
      segments_{shard_segments(table, rank, world_size)} {
  for (model::UnitId unit = 0; unit < table.units().size(); ++unit) {
    offsets_.push_back(offsets_.back() + own_range(unit).numel());
  }
}

std::size_t ShardLayout::largest_shard(model::UnitId unit) const {
  std::size_t largest = 0;
  for (std::size_t rank = 0; rank < world_size_; ++rank) {
    largest = std::max(largest, range(unit, rank).count);
  }
  return largest;
}

std::size_t ShardLayout::local_granules(std::size_t rank) const {
  std::size_t granules = 0;
  for (model::UnitId unit = 0; unit < table_->units().size(); ++unit) {
    granules += range(unit, rank).count;
  }
  return granules;
}

}  // namespace ballast::fsdp
