#include "fsdp/gradient_room.hpp"

#include <algorithm>

namespace ballast::fsdp {

std::span<float> room_for(const model::ParameterTable& table, model::UnitId unit,
                          std::span<float> room) {
  for (const auto& parameter : table.parameters_of(unit)) {
    const std::size_t padding = padded_numel(parameter.numel) - parameter.numel;
    std::ranges::fill(room.subspan(parameter.offset + parameter.numel, padding), 0.0f);
  }
  return room.first(table.unit(unit).padded_numel());
}

}  // namespace ballast::fsdp
