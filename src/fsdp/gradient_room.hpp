#pragma once

#include <span>

#include "model/parameters.hpp"

namespace ballast::fsdp {

/// The part of `room` that `unit` fills, with its padding cleared: units of other shapes, with
/// padding elsewhere, use the same room in turn, and sums and updates include the padding.
[[nodiscard]] std::span<float> room_for(const model::ParameterTable& table, model::UnitId unit,
                                        std::span<float> room);

/// How units that train share rooms where a gradient is reduced as soon as it is complete.
struct RoomSizes {
  std::size_t end;    ///< granules of the largest unit with an end of the model
  std::size_t block;  ///< granules of the largest other unit
  /// True if embedding and head are one unit. Its gradient begins before those of the blocks and is
  /// complete after them, so no other unit can use its room.
  bool end_outlasts_blocks;
};
[[nodiscard]] RoomSizes room_sizes(const model::ParameterTable& table);

/// The same where every unit has its own room.
[[nodiscard]] std::size_t room_granules(const model::UnitInfo& unit);

}  // namespace ballast::fsdp
