#pragma once

#include <span>

#include "model/parameters.hpp"

namespace ballast::fsdp {

/// The part of `room` that `unit` fills, its padding cleared: units of other shapes, whose tensors
/// end elsewhere, use the same room in turn, and padding takes part in sums and updates.
[[nodiscard]] std::span<float> room_for(const model::ParameterTable& table, model::UnitId unit,
                                        std::span<float> room);

/// How units that train share rooms where a gradient is reduced as soon as it is complete.
struct RoomSizes {
  std::size_t end;    ///< granules of the largest unit with an end of the model
  std::size_t block;  ///< of the largest other
  /// Whether a gradient is begun before those of the blocks and complete after them, so that its
  /// room is not for others: that of embedding and head in one unit.
  bool end_outlasts_blocks;
};
[[nodiscard]] RoomSizes room_sizes(const model::ParameterTable& table);

/// The same where every unit has its own room.
[[nodiscard]] std::size_t room_granules(const model::UnitInfo& unit);

}  // namespace ballast::fsdp
