#include "fsdp/gradient_room.hpp"

#include <algorithm>

namespace ballast::fsdp {

std::span<float> room_for(const model::ParameterTable& table, model::UnitId unit,
                          std::span<float> room) {
  for (const std::size_t row : table.unit(unit).rows) {
    const auto& parameter = table.parameters()[row];
    const std::size_t padding = padded_numel(parameter.numel) - parameter.numel;
    std::ranges::fill(room.subspan(parameter.offset + parameter.numel, padding), 0.0f);
  }
  return room.first(table.unit(unit).padded_numel());
}

RoomSizes room_sizes(const model::ParameterTable& table) {
  RoomSizes sizes{};
  for (model::UnitId id = 0; id < table.units().size(); ++id) {
    const model::UnitInfo& unit = table.unit(id);
    if (!unit.trains) continue;
    std::size_t& size = table.is_end(id) ? sizes.end : sizes.block;
    size = std::max(size, unit.granules);
    if (table.is_end(id) && unit.lowest != unit.highest) sizes.end_outlasts_blocks = true;
  }
  return sizes;
}

std::size_t room_granules(const model::UnitInfo& unit) { return unit.trains ? unit.granules : 0; }

}  // namespace ballast::fsdp
