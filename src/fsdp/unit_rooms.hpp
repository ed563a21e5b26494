#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fsdp/policy.hpp"
#include "model/parameters.hpp"
#include "model/step_program.hpp"
#include "tensor/arena.hpp"

namespace ballast::fsdp {

/// Rooms for gathered units, and which unit is in which: one for embedding and head each, and
/// 1 + prefetch_units for all other units in turn, or as many for trained and as many for frozen
/// units if a block has both; or one for every unit if units stay gathered (grad_op,
/// Reshard::never). The step program says which units come next: the unit whose room is taken is
/// one that is not read soon. All ranks lease the same units in the same order, so all of them make
/// the same choices.
class UnitRooms {
 public:
  struct Room {
    Arena::ElementSlot slot;
    std::size_t lane = 0;  ///< which units it is for
    model::UnitId unit = 0;
    std::uint64_t version = 0;  ///< of its unit; 0: nothing gathered yet
    std::size_t leases = 0;
  };

  /// Reserves the rooms in `arena`.
  UnitRooms(const model::ParameterTable& table, const Policy& policy, Arena& arena);

  [[nodiscard]] std::size_t size() const { return rooms_.size(); }
  [[nodiscard]] Room& operator[](std::size_t room) { return rooms_[room]; }
  /// The bytes of the unit that is in a room.
  [[nodiscard]] Elements contents(std::size_t room) const;

  void begin_version() { ++version_; }
  void publish(model::UnitId unit) { versions_.at(unit) = version_; }
  /// The version of the unit's weights.
  [[nodiscard]] std::uint64_t version(model::UnitId unit) const { return versions_[unit]; }

  /// The program of the next micro-batch.
  void follow(const model::StepProgram& program);
  /// Moves to the visit that acquires `unit`.
  void advance_to(model::UnitId unit);
  /// The distinct units that are read from there, that one first: at most 1 + prefetch_units.
  [[nodiscard]] std::span<const model::UnitId> upcoming() const { return upcoming_; }

  /// The room that has the unit as it was last written.
  [[nodiscard]] std::optional<std::size_t> find(model::UnitId unit) const;
  /// A room for `unit` whose contents nobody reads now or next.
  [[nodiscard]] std::optional<std::size_t> find_free(model::UnitId unit) const;
  /// The unit's current version belongs into the room from now on.
  void claim(std::size_t room, model::UnitId unit);

 private:
  [[nodiscard]] bool is_current(const Room& room) const {
    return room.version == versions_[room.unit];
  }
  void reserve_lane(std::size_t lane, Arena& arena);

  const model::ParameterTable* table_;
  const Arena* arena_;
  std::size_t prefetch_units_;
  ElementType type_;
  std::vector<std::size_t> lanes_;  ///< by unit; units of a lane take turns in its rooms
  std::vector<Room> rooms_;
  std::uint64_t version_ = 0;
  std::vector<std::uint64_t> versions_;  ///< by unit: in which it was written last

  const model::StepProgram* program_ = nullptr;
  std::size_t position_ = 0;  ///< of the last acquisition in the program
  std::vector<model::UnitId> upcoming_;
};

}  // namespace ballast::fsdp
